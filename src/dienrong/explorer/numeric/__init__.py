"""The only part of the room that opens lsakit: files of runs, questions, answers, words, drawings; no ORM here."""

from dienrong.explorer.numeric.asking import Asked, Outcome, ask, offer
from dienrong.explorer.numeric.files import Source, SourceDamagedError, forget_everything
from dienrong.explorer.numeric.shares import ShareLine, minimum_shares
from dienrong.explorer.numeric.showing import Rule, Shown, rule_of, shown, taken_up

__all__ = [
    "Asked",
    "Outcome",
    "Rule",
    "ShareLine",
    "Shown",
    "Source",
    "SourceDamagedError",
    "ask",
    "forget_everything",
    "minimum_shares",
    "offer",
    "rule_of",
    "shown",
    "taken_up",
]
