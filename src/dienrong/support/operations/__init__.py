"""Writes of the room."""

from dienrong.support.operations.asking import answer, ask, pass_late_ones_up, pass_up, settle
from dienrong.support.operations.telling import (
    ContactFacts,
    FrequentFacts,
    TellingFacts,
    delete_contact,
    save_contact,
    save_frequent,
    write_telling,
)
from dienrong.support.refusals import NotNow, SupportRefusal

__all__ = [
    "ContactFacts",
    "FrequentFacts",
    "NotNow",
    "SupportRefusal",
    "TellingFacts",
    "answer",
    "ask",
    "delete_contact",
    "pass_late_ones_up",
    "pass_up",
    "save_contact",
    "save_frequent",
    "settle",
    "write_telling",
]
