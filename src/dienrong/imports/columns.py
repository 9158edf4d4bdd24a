"""What can be imported: targets with their columns, as data. Targets register themselves here."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from django.utils.translation import get_language

from dienrong.accounts.permissions import Scope
from dienrong.core.formats import day_text
from dienrong.core.refusals import Refusal
from dienrong.core.row_changes import RowChange, Written
from dienrong.core.text import search_key
from dienrong.imports.numeric.cells import JOINER, CellRule, Kind

Rows = Sequence[tuple[int, Mapping[str, Any]]]
Values = Mapping[str, Any]


class UnknownTarget(Refusal):
    """Nothing of this name can be imported."""

    code = "imports.unknown_target"


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """A text in the two languages of the pages."""

    vi: str
    en: str

    def __str__(self) -> str:
        return self.en if (get_language() or "vi").startswith("en") else self.vi


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One entry of a code list: the code that is kept, its label, and other words people write."""

    code: str
    label: Words
    others: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a target.

    Parameters
    ----------
    code : str
        Name under which the value travels.
    title, guide : Words
        Header and instruction of our template.
    aliases : tuple of str
        Other headers under which files carry it.
    is_required : bool
        Whether a row without it is refused.
    is_needed_when_new : bool
        Whether a row about something that is not kept yet needs it; the room that keeps the rows says so.
    kind, width, pads, is_opaque, low, high, max_length
        See ``CellRule``.
    choices : tuple of Choice
        Code list; its labels fill the dropdown of the template.
    sample : str
        What an example cell looks like.
    """

    code: str
    title: Words
    guide: Words
    aliases: tuple[str, ...] = ()
    is_required: bool = False
    is_needed_when_new: bool = False
    kind: Kind = "text"
    width: int | None = None
    pads: bool = True
    is_opaque: bool = False
    low: float | None = None
    high: float | None = None
    max_length: int = 240
    choices: tuple[Choice, ...] = ()
    sample: str = ""

    def rule(self) -> CellRule:
        """Give the rule by which its cells are read."""
        words: dict[str, str] = {}
        for choice in self.choices:
            spellings = (choice.code, choice.label.vi, choice.label.en, *choice.others)
            words |= {search_key(spelling): choice.code for spelling in spellings}
        return CellRule(
            kind=self.kind,
            width=self.width,
            pads=self.pads,
            is_opaque=self.is_opaque,
            words=words,
            low=self.low,
            high=self.high,
            max_length=self.max_length,
        )

    def shown(self, value: Any) -> str:
        """Write a value as a person reads it: the label of a code, a date as dd/mm/yyyy."""
        if value is None or value == "":
            return ""
        labels = {choice.code: str(choice.label) for choice in self.choices}
        if self.kind == "yes_no":
            return str(YES_LABEL if value is True else NO_LABEL) if isinstance(value, bool) else str(value)
        if self.kind == "choices":
            parts = ", ".join(labels.get(code, code) for code in str(value).split(JOINER) if code)
            return labels.get(str(value), parts)
        if self.kind == "date" and isinstance(value, str) and len(value) == 10:
            year, month, day = value.split("-") if value.count("-") == 2 else ("", "", "")
            return f"{day}/{month}/{year}" if year else value
        if isinstance(value, float):
            return f"{value:.12g}".replace(".", "," if str(YES_LABEL) == YES_LABEL.vi else ".")
        return labels.get(str(value), str(value))

    @property
    def is_text_in_excel(self) -> bool:
        """Whether its cells must be text, so that no zero is lost."""
        return self.kind in ("code", "text", "choice", "choices", "yes_no")


YES_LABEL, NO_LABEL = Words("Có", "Yes"), Words("Không", "No")

ParameterKind = Literal["school_year", "date", "text"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What is asked once for the whole file."""

    code: str
    title: Words
    guide: Words
    kind: ParameterKind


ON_DATE = Parameter(
    code="on_date",
    title=Words("Số liệu có hiệu lực từ ngày", "Data valid from"),
    guide=Words("Ngày mà các thay đổi trong tệp bắt đầu đúng.", "The day from which the changes hold."),
    kind="date",
)
SCHOOL_YEAR = Parameter(
    code="school_year",
    title=Words("Năm học", "School year"),
    guide=Words("Ví dụ: 2026-2027.", "For example 2026-2027."),
    kind="school_year",
)
COUNTED_ON = Parameter(
    code="counted_on",
    title=Words("Ngày chốt số liệu", "Counted on"),
    guide=Words("Ngày đếm học sinh và lớp.", "The day on which pupils and classes were counted."),
    kind="date",
)

Compare = Callable[..., list[RowChange]]
Write = Callable[[Sequence[RowChange], Any, Values], list[Written]]
Undo = Callable[[Sequence[Written], Any, Values], Any]
Export = Callable[[Scope, Values], Iterable[Values]]
ExportPeople = Callable[[Any, Values], Sequence[Values]]
Spread = Callable[[int, Values], Iterator[tuple[int, Values]]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One kind of row that can be imported.

    Parameters
    ----------
    code : str
        Name in addresses and in the API.
    title, lead : Words
        What it is called, and one sentence about it.
    columns : tuple of Column
        In the order of the template.
    key : tuple of str
        Columns that tell rows apart; a file may hold each combination once.
    compare, write, undo : callable
        The room that keeps the rows; see docs/modules/imports/concepts.md.
    export : callable, optional
        Gives what is kept, as values by column.
    export_people : callable, optional
        Gives what is kept of people: by whom, and school year, school and reason; it writes into the log of the
        vault itself. Instead of ``export``, for personal targets.
    remembers : bool
        Whether ``compare`` takes ``seen``, a dict that lives as long as the file is compared, so that doubles are
        found across blocks of rows.
    spread : callable, optional
        Makes several rows of one row of the file.
    parameters : tuple of Parameter
        What is asked once for the file.
    permissions : tuple of str
        All of them are needed beside ``import_data``.
    is_personal : bool
        Whether files and rows are sealed, and keys hidden.
    """

    code: str
    title: Words
    lead: Words
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    compare: Compare
    write: Write
    undo: Undo
    export: Export | None = None
    export_people: ExportPeople | None = None
    remembers: bool = False
    spread: Spread | None = None
    parameters: tuple[Parameter, ...] = ()
    permissions: tuple[str, ...] = ()
    is_personal: bool = False
    order: int = 50

    def column(self, code: str) -> Column | None:
        """Give a column by its code."""
        return next((column for column in self.columns if column.code == code), None)

    @property
    def has_export(self) -> bool:
        """Whether what is kept can be downloaded; templates ask, and would call ``export`` itself."""
        return self.export is not None or self.export_people is not None

    @property
    def required(self) -> tuple[Column, ...]:
        """The columns without which no row can be taken."""
        return tuple(column for column in self.columns if column.is_required)


_targets: dict[str, Target] = {}


def register(target: Target) -> Target:
    """Add a target; a second one of the same name replaces it."""
    _targets[target.code] = target
    return target


def forget(code: str) -> None:
    """Take a target away; for tests."""
    _targets.pop(code, None)


def targets() -> list[Target]:
    """Give every target in the order of the page."""
    return sorted(_targets.values(), key=lambda target: (target.order, target.code))


def target_of(code: str) -> Target:
    """Give a target by its name.

    Raises
    ------
    UnknownTarget
        If there is none.
    """
    try:
        return _targets[code]
    except KeyError:
        from django.utils.translation import gettext as _

        raise UnknownTarget(_("There is no kind of data named “%(code)s”.") % {"code": code}) from None


def default_value(parameter: Parameter, today: dt.date) -> str:
    """Give what the form proposes: today, or the school year that began last August."""
    if parameter.kind == "date":
        return day_text(today)
    if parameter.kind == "text":
        return ""
    first = today.year if today.month >= 8 else today.year - 1
    return f"{first}-{first + 1}"
