"""What the registry refuses, and the way out."""

from __future__ import annotations

from dienrong.core.refusals import Conflict, NotAllowed, Refusal


class UnknownCommune(Refusal):
    """A school names a commune that is not in force."""

    code = "registry.unknown_commune"


class SchoolClosed(Conflict):
    """The school is closed."""

    code = "registry.school_closed"


class WrongDate(Refusal):
    """The day lies before what is known of the school, or in the future."""

    code = "registry.wrong_date"


class CodeTaken(Conflict):
    """Another school has the code, or once had it."""

    code = "registry.code_taken"


class IncompleteEvent(Refusal):
    """Something that the event needs is missing or does not add up."""

    code = "registry.incomplete_event"


class OutOfScope(NotAllowed):
    """The school does not lie in the person's units."""

    code = "registry.out_of_scope"


class SomethingDepends(Conflict):
    """Something later was built upon it."""

    code = "registry.something_depends"


class BatchHasConflicts(Conflict):
    """The batch has lines that cannot be applied."""

    code = "registry.batch_has_conflicts"
