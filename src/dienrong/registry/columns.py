"""The columns in which rows of schools, sites and enrolments come in, and what a cell of each may hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from dienrong.core.row_changes import CellProblem
from dienrong.core.text import clean_text
from dienrong.registry.models import SchoolTraits

LEVELS = ("MN", "TH", "THCS", "THPT", "GDTX")
"""The levels of schools, from the youngest pupils to the oldest; ``School.levels`` joins them by hyphens."""
HIGHEST_GRADE = 12
MOST_PUPILS = 100_000
MOST_CLASSES = 10_000


class BadCellError(ValueError):
    """A cell cannot be taken; the sentence says why, the hint what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        self.sentence, self.hint = sentence, hint
        super().__init__(sentence)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column: its code, and what makes a cell a value of it."""

    code: str
    read: Callable[[Any], Any]


def text(longest: int) -> Callable[[Any], str]:
    """Read text of a bounded length."""

    def read(cell: Any) -> str:
        value = clean_text(str(cell))
        if len(value) > longest:
            raise BadCellError(_("This is longer than %(n)d characters.") % {"n": longest}, _("Shorten it."))
        return value

    return read


def one_of(choices: Any) -> Callable[[Any], str]:
    """Read one of the stored codes."""
    codes = [str(code) for code in choices.values]

    def read(cell: Any) -> str:
        if str(cell) not in codes:
            raise BadCellError(
                _("“%(value)s” is not in the list.") % {"value": cell},
                _("Choose one of: %(codes)s.") % {"codes": ", ".join(codes)},
            )
        return str(cell)

    return read


def whole(lowest: int, highest: int) -> Callable[[Any], int]:
    """Read a whole number within bounds."""

    def read(cell: Any) -> int:
        try:
            number = float(cell)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(cell, bool) or number != number or number != int(number):
            raise BadCellError(_("“%(value)s” is not a whole number.") % {"value": cell}, _("Give a number."))
        if not lowest <= number <= highest:
            raise BadCellError(
                _("%(value)s is not between %(low)d and %(high)d.")
                % {"value": cell, "low": lowest, "high": highest},
                _("Check the number."),
            )
        return int(number)

    return read


def decimal(lowest: float, highest: float, digits: int) -> Callable[[Any], float]:
    """Read a number within bounds, rounded to the digits that are kept."""

    def read(cell: Any) -> float:
        try:
            number = float(cell)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(cell, bool) or not math.isfinite(number):
            raise BadCellError(_("“%(value)s” is not a number.") % {"value": cell}, _("Give a number."))
        if not lowest <= number <= highest:
            raise BadCellError(
                _("%(value)s is not between %(low)d and %(high)d.")
                % {"value": cell, "low": lowest, "high": highest},
                _("Check the number."),
            )
        return round(number, digits)

    return read


def yes_no(cell: Any) -> bool:
    """Read yes or no."""
    if cell in (True, False):
        return bool(cell)
    raise BadCellError(_("“%(value)s” is neither yes nor no.") % {"value": cell}, _("Give yes or no."))


def day(cell: Any) -> str:
    """Read a date and keep it as ISO text."""
    try:
        return date.fromisoformat(str(cell)[:10]).isoformat()
    except ValueError:
        raise BadCellError(
            _("“%(value)s” is not a date.") % {"value": cell}, _("Write it as 05/09/2026.")
        ) from None


def email(cell: Any) -> str:
    """Read an e-mail address."""
    value = str(cell).strip()
    try:
        validate_email(value)
    except ValidationError:
        raise BadCellError(
            _("“%(value)s” is not an e-mail address.") % {"value": cell}, _("Check it, or leave it empty.")
        ) from None
    return value


def levels(cell: Any) -> str:
    """Read levels joined by hyphens, from the youngest pupils to the oldest."""
    words = str(cell).split("-")
    if not all(word in LEVELS for word in words) or len(set(words)) != len(words):
        raise BadCellError(
            _("“%(value)s” names no levels.") % {"value": cell},
            _("Write levels as %(codes)s, several joined by a hyphen.") % {"codes": ", ".join(LEVELS)},
        )
    return "-".join(level for level in LEVELS if level in words)


SCHOOL_COLUMNS = {
    column.code: column
    for column in (
        Column("school_id", text(20)),
        Column("name", text(200)),
        Column("kind", one_of(SchoolTraits.Kind)),
        Column("levels", levels),
        Column("commune_code", text(5)),
        Column("province_code", text(2)),
        Column("sector", one_of(SchoolTraits.Sector)),
        Column("managed_by", one_of(SchoolTraits.ManagedBy)),
        Column("area", one_of(SchoolTraits.Area)),
        Column("is_disadvantaged", yes_no),
        Column("is_border", yes_no),
        Column("boarding", one_of(SchoolTraits.Boarding)),
        Column("minority_share", decimal(0, 1, 4)),
        Column("n_satellite_sites", whole(0, 1000)),
        Column("address", text(240)),
        Column("phone", text(20)),
        Column("email", email),
        Column("latitude", decimal(-90, 90, 6)),
        Column("longitude", decimal(-180, 180, 6)),
        Column("founded_date", day),
    )
}
SITE_COLUMNS = {
    column.code: column
    for column in (
        Column("school_id", text(20)),
        Column("site_code", text(20)),
        Column("site_name", text(200)),
        Column("is_main", yes_no),
        Column("commune_code", text(5)),
        Column("address", text(240)),
        Column("latitude", decimal(-90, 90, 6)),
        Column("longitude", decimal(-180, 180, 6)),
        Column("n_students", whole(0, MOST_PUPILS)),
        Column("n_classes", whole(0, MOST_CLASSES)),
    )
}
ENROLMENT_COLUMNS = {
    column.code: column
    for column in (
        Column("school_id", text(20)),
        Column("grade", whole(0, HIGHEST_GRADE)),
        Column("n_students", whole(0, MOST_PUPILS)),
        Column("n_classes", whole(0, MOST_CLASSES)),
    )
}


def read_row(
    columns: Mapping[str, Column], row: Mapping[str, Any], required: tuple[str, ...] = ()
) -> tuple[dict[str, Any], list[CellProblem]]:
    """Read the cells of a row; columns that are not ours are left out, empty cells too.

    Parameters
    ----------
    columns : mapping of str to Column
        The columns that are known.
    row : mapping of str to object
        Cells by column; None and the empty text are empty.
    required : tuple of str
        Columns that must not be empty.

    Returns
    -------
    tuple of dict and list of CellProblem
        The values that could be read, as JSON, and why others could not.
    """
    values: dict[str, Any] = {}
    problems = [
        problem(code, "", _("This is missing."), _("Fill it in."))
        for code in required
        if is_empty(row.get(code))
    ]
    for code, column in columns.items():
        cell = row.get(code)
        if is_empty(cell):
            continue
        try:
            values[code] = column.read(cell)
        except BadCellError as bad:
            problems.append(problem(code, cell, bad.sentence, bad.hint))
    return values, problems


def is_empty(cell: Any) -> bool:
    """Tell whether nothing stands in a cell."""
    return cell is None or cell == ""


def problem(column: str, value: Any, sentence: str, hint: str = "") -> CellProblem:
    """Say why a cell cannot be taken."""
    return CellProblem(column=column, value="" if value is None else str(value), sentence=sentence, hint=hint)


def number_of(value: Decimal | None) -> float | None:
    """Give a stored decimal as JSON has it."""
    return None if value is None else float(value)


def decimal_of(value: Any) -> Decimal | None:
    """Give a number of JSON as it is stored."""
    return None if value is None else Decimal(str(value))


def day_of(value: Any) -> date | None:
    """Give a date of JSON as it is stored."""
    return date.fromisoformat(value) if value else None
