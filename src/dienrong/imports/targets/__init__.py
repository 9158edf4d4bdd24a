"""One module for each kind of row; importing this package registers them all.

A room above may register targets of its own with ``columns.register``.
"""

from dienrong.imports.targets import enrolments, mergers, schools, sites, staff, students

__all__ = ["enrolments", "mergers", "schools", "sites", "staff", "students"]
