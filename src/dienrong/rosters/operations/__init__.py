"""Writes of the rosters and of the vault; each is one transaction with its audit entry inside."""

from dienrong.rosters.operations.people import RosterChanged
from dienrong.rosters.operations.staff import undo_staff, write_staff
from dienrong.rosters.operations.students import undo_students, write_students

__all__ = ["RosterChanged", "undo_staff", "undo_students", "write_staff", "write_students"]
