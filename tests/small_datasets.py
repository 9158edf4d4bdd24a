"""A plan of disclosure control that sixteen schools of two provinces can fulfill."""

from __future__ import annotations

from dienrong.datasets.numeric import shipped_plan

PLAN_PUBLIC = shipped_plan("public_small")
