"""What this room refuses, and why."""

from __future__ import annotations

from dienrong.core.refusals import Refusal


class DataRefused(Refusal):
    """Files or a run cannot become the data of a study."""

    code = "scaling.data_refused"


class DecisionRefused(Refusal):
    """A decision contradicts the item, the data, or another decision."""

    code = "scaling.decision_refused"


class OptionsRefused(Refusal):
    """The scaling cannot be run with these options."""

    code = "scaling.options_refused"
