"""One module for each kind of row; importing this package registers them all."""

from dienrong.imports.targets import enrolments, schools, sites, staff, students

__all__ = ["enrolments", "schools", "sites", "staff", "students"]
