"""Reads of the rosters: rows compared with what is kept."""

from dienrong.rosters.queries.staff import compare_staff
from dienrong.rosters.queries.students import compare_students

__all__ = ["compare_staff", "compare_students"]
