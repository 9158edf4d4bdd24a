"""Writes of the rosters and of the vault; each is one transaction with its audit entry inside."""

from dienrong.rosters.operations.exporting import NoSuchSchool, TooMany, export_roster
from dienrong.rosters.operations.people import RosterChanged
from dienrong.rosters.operations.places import RowRefused, StudiesElsewhere, add_student, change_place
from dienrong.rosters.operations.purposes import (
    BadDay,
    ConsentStands,
    NoSuchPerson,
    change_purpose,
    record_consent,
    withdraw_consent,
)
from dienrong.rosters.operations.staff import undo_staff, write_staff
from dienrong.rosters.operations.students import undo_students, write_students
from dienrong.rosters.operations.vault import (
    DeletionReason,
    IdentityTaken,
    NoIdentity,
    NoReason,
    NotThePresentSchool,
    correct_identity,
    delete_identity,
    open_identities,
    purge_expired,
)

__all__ = [
    "BadDay",
    "ConsentStands",
    "DeletionReason",
    "IdentityTaken",
    "NoIdentity",
    "NoReason",
    "NoSuchPerson",
    "NoSuchSchool",
    "NotThePresentSchool",
    "RosterChanged",
    "RowRefused",
    "StudiesElsewhere",
    "TooMany",
    "add_student",
    "change_place",
    "change_purpose",
    "correct_identity",
    "delete_identity",
    "export_roster",
    "open_identities",
    "purge_expired",
    "record_consent",
    "undo_staff",
    "undo_students",
    "withdraw_consent",
    "write_staff",
    "write_students",
]
