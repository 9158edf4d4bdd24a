"""What lsakit refuses, and how it says so.

Every refusal is one error with up to four sentences: what is wrong (with parameter and value), where (the
first row ids, never a child's name), why it matters, and the way out. The fields stay apart, so that a
command, a web page and a test can each use them; no rendering and no HTTP live here.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_ROWS_NAMED = 5


class LsakitError(Exception):
    """Base of all refusals of lsakit.

    Parameters
    ----------
    what : str
        What is wrong, with the parameter's name and the value met; one full sentence.
    where : Sequence of object, optional
        Identifiers of the rows, columns or files concerned; the first five are named.
    why : str, optional
        Why it matters; one full sentence.
    hint : str, optional
        The way out; one full sentence.
    param : str, optional
        Name of the offending parameter or column.
    got : object, optional
        The value met.
    expected : str, optional
        What would have been accepted, in words.
    """

    code: str = "lsakit.error"

    def __init__(
        self,
        what: str,
        *,
        where: Sequence[object] = (),
        why: str = "",
        hint: str = "",
        param: str | None = None,
        got: object = None,
        expected: str | None = None,
    ) -> None:
        self.what = what
        self.where = tuple(where)
        self.why = why
        self.hint = hint
        self.param = param
        self.got = got
        self.expected = expected
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The refusal as plain text, its parts in the order what, where, why, way out."""
        parts = [self.what]
        if self.where:
            named = ", ".join(str(row) for row in self.where[:MAX_ROWS_NAMED])
            more = len(self.where) - MAX_ROWS_NAMED
            parts.append(f"See: {named}" + (f" and {more} more." if more > 0 else "."))
        parts.extend(part for part in (self.why, self.hint) if part)
        return " ".join(parts)

    def __str__(self) -> str:
        return self.sentence


class TableError(LsakitError, ValueError):
    """A table lacks a column, or a column holds values it may not hold."""

    code = "lsakit.table"


class UnknownColumnError(TableError, KeyError):
    """A named column is not in the table."""

    code = "lsakit.unknown_column"


class FileFormatError(LsakitError, ValueError):
    """A file cannot be read as what it says it is."""

    code = "lsakit.file_format"


class DesignError(LsakitError, ValueError):
    """A sampling design, a frame or a weighting rule contradicts itself or the data."""

    code = "lsakit.design"


class ResponseError(LsakitError, ValueError):
    """A response lies outside the codes that its item knows."""

    code = "lsakit.response"


class CalibrationError(LsakitError, ValueError):
    """An item response model cannot be estimated from these responses."""

    code = "lsakit.calibration"


class ConvergenceError(LsakitError, RuntimeError):
    """An iteration did not converge; ``state`` carries the last one."""

    code = "lsakit.convergence"

    def __init__(self, what: str, *, state: object = None, hint: str = "", why: str = "") -> None:
        super().__init__(what, hint=hint, why=why)
        self.state = state


class EstimationError(LsakitError, ValueError):
    """A statistic cannot be estimated from these rows and weights."""

    code = "lsakit.estimation"


class LineageError(LsakitError, ValueError):
    """An artefact or manifest is missing, changed, or does not belong where it stands."""

    code = "lsakit.lineage"


class CancelledError(LsakitError, RuntimeError):
    """The caller asked a long computation to stop; nothing half-written remains."""

    code = "lsakit.cancelled"
