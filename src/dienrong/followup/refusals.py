"""Refusals of the room."""

from __future__ import annotations

from dienrong.core.refusals import Conflict, Refusal


class FollowupRefusal(Refusal):
    """Something that was typed or chosen does not fit."""

    code = "followup.refused"


class NotNow(Conflict):
    """The state of a plan, a task or a duty forbids the step."""

    code = "followup.not_now"
