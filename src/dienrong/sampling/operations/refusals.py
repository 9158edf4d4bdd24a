"""What plans, frames and draws refuse."""

from __future__ import annotations

from dienrong.core.refusals import Conflict, Refusal


class FrameUnusable(Refusal):
    """A frame cannot be read or made."""

    code = "sampling.frame_unusable"


class FrameChanged(Refusal):
    """A frozen frame is no longer what was frozen; the refusal names schools and columns."""

    code = "sampling.frame_changed"


class PlanRefused(Refusal):
    """A plan does not fit its frame."""

    code = "sampling.plan_refused"


class PlanIncomplete(Conflict):
    """Something must be done before this step."""

    code = "sampling.plan_incomplete"


class TooEarly(Conflict):
    """The number cannot be entered before it is announced."""

    code = "sampling.too_early"
