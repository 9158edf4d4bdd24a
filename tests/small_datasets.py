"""A plan of disclosure control that sixteen schools of two provinces can fulfill."""

from __future__ import annotations

PLAN_PUBLIC = """
name = "small"
kind = "public"
protect = ["CNT", "REGION", "ST001D01T", "ST004D01T", "W_FSTUWT", "SENWT"]
[[require]]
file = "school"
keys = ["REGION", "SCHSIZE"]
k = 3
[[require]]
file = "student"
keys = ["REGION", "ST004D01T", "ETHNIC"]
k = 5
[[step]]
kind = "band"
file = "school"
variables = ["ENROLMENT"]
into = "SCHSIZE"
cuts = [60]
labels = ["Nhỏ", "Lớn"]
[[step]]
kind = "drop"
file = "school"
variables = ["W_SCHGRNRABWT", "PROVINCE", "SECTOR", "AREA", "DISADV"]
[[step]]
kind = "suppress"
file = "school"
variables = ["SCHSIZE"]
keys = ["REGION", "SCHSIZE"]
k = 3
[[step]]
kind = "swap"
file = "student"
variables = ["ETHNIC", "ESCS"]
share = 0.05
keys = ["REGION", "ST004D01T", "ETHNIC"]
match = ["REGION", "ST004D01T"]
[[step]]
kind = "suppress"
file = "student"
variables = ["ETHNIC"]
keys = ["REGION", "ST004D01T", "ETHNIC"]
k = 5
"""
