"""Refusals of the room."""

from __future__ import annotations

from dienrong.core.refusals import Conflict, Refusal


class SupportRefusal(Refusal):
    """Something that was typed or chosen does not fit."""

    code = "support.refused"


class NotNow(Conflict):
    """The state of a question forbids the step."""

    code = "support.not_now"
