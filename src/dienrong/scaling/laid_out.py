"""Tables and records of a run as pages show them: headings in words, numbers with the digits they deserve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from dienrong.core.formats import number_text
from dienrong.core.text import search_key
from dienrong.scaling import words

DIGITS = {
    "p": 4, "s_x2_p": 4, "facility": 2, "share": 3, "share_low": 2, "share_high": 2, "infit_t": 1, "outfit_t": 1,
    "s_x2": 1, "loglik": 1, "log_likelihood": 1, "aic": 1, "bic": 1, "chi_square": 1, "mean_score": 2, "change": 6,
    "observed": 3, "expected": 3, "rest_mean": 1, "linking_error": 2, "mean_eap": 3,
}  # fmt: skip
DEFAULT_DIGITS = 3
POINTS = frozenset({"percentile_points", "points", "cut", "score"})
LEFT_OUT = frozenset(
    {
        "undefined_because", "matching", "measure", "stated_max_score", "n_recoded", "s_x2_n", "column", "n_matched",
        "ci_low", "ci_high",
    }
)  # fmt: skip
"""Columns that pages leave to the Excel file."""


SHOWN = {
    "dif": (
        "item", "variable", "focal", "reference", "category", "direction", "statistic", "se", "p", "n_focal", "n_reference",
    ),
    "link_items": (
        "item", "status", "old_slope", "old_difficulty", "transformed_slope", "transformed_difficulty", "difference", "robust_z",
    ),
}  # fmt: skip
"""Tables of which a page shows some columns in an order of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A column of a laid-out table."""

    name: str
    title: str
    is_number: bool

    @property
    def down(self) -> str:
        """What the address says for sorting downward."""
        return f"-{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a laid-out table."""

    text: str
    is_number: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """Some rows of a table, ready for a page."""

    stage: str
    role: str
    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    n_rows: int

    @property
    def n_hidden(self) -> int:
        """Rows that are not shown."""
        return self.n_rows - len(self.rows)


def lay_out(
    table: Any, *, stage: str, role: str, first: int = 0, n: int = 30, without: Sequence[str] = ()
) -> Laid | None:
    """Lay out some rows of a table; None where there is no table."""
    if table is None:
        return None
    names = [
        name
        for name in (one for one in SHOWN.get(role, table.columns) if one in table.columns)
        if name not in LEFT_OUT and name not in without and not _is_empty(table, name)
    ]
    headings = tuple(
        Heading(name=name, title=words.column_title(name, role), is_number=table.schema[name].is_numeric())
        for name in names
    )
    part = table.select(names).slice(first, n)
    return Laid(
        stage=stage,
        role=role,
        title=words.role_title(role),
        headings=headings,
        rows=tuple(
            tuple(
                Cell(text=cell(heading.name, value), is_number=heading.is_number)
                for heading, value in zip(headings, row, strict=True)
            )
            for row in part.iter_rows()
        ),
        n_rows=table.height,
    )


def _is_empty(table: Any, name: str) -> bool:
    """Tell whether a column says nothing: empty cells, no guessing anywhere, degrees of freedom without statistic."""
    column = table.get_column(name)
    if name in ("guessing", "s_x2_df", "n_reference_left_out"):
        return bool((column.fill_null(0) == 0).all())
    return bool(column.null_count() == table.height)


def cell(name: str, value: Any) -> str:
    """Write a cell for a reader."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "flags":
        return ", ".join(words.flag_title(one.strip()) for one in str(value).replace(",", ";").split(";"))
    if isinstance(value, int):
        return number_text(value)
    if isinstance(value, float):
        whole = name == "at" and value == int(value)
        return number_text(value, 0 if whole else digits_of(name, value))
    if name == "group" and value == "all":
        return _("all students")
    if name == "stopped_because":
        return words.titled(words.STOPPED, str(value))
    if name in ("group", "groups"):
        return ", ".join(str(value).replace("|", ";").split(";"))
    if name == "option":
        return words.titled(words.OPTIONS_SPECIAL, str(value))
    if name in words.VALUES:
        return words.titled(words.VALUES[name], str(value))
    if name == "direction":
        return {
            "harder": _("harder"),
            "easier": _("easier"),
            "+": _("favors the focal group"),
            "-": _("favors the reference group"),
        }.get(value, str(value))
    return str(value)


def digits_of(name: str, value: float) -> int:
    """Say how many decimals a number of a column deserves; large numbers none."""
    if abs(value) >= 10_000:
        return 0
    if abs(value) >= 100 and name not in DIGITS:
        return 1
    return DIGITS.get(name, DEFAULT_DIGITS)


def record_rows(
    record: Mapping[str, Any], *, role: str = "", without: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Give the plain values of a record in words; nested ones become rows of their own."""
    out: list[dict[str, str]] = []
    for name, value in record.items():
        if name in without or value in (None, [], {}):
            continue
        if isinstance(value, Mapping):
            continue
        text = ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else cell(name, value)
        out.append({"name": name, "title": words.column_title(name, role), "value": text})
    return out


def matches(text: str, row: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Tell whether a row holds what was typed, without accents and case."""
    wanted = search_key(text)
    return any(wanted in search_key(str(row.get(name) or "")) for name in names)
