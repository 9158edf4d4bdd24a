"""How correct, complete, clean and fresh the data of units and schools are, and what is to be mended."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Path, Query, Router, Schema

from dienrong.accounts import permissions
from dienrong.api import queries
from dienrong.api.access import Caller
from dienrong.api.pages import page_of
from dienrong.api.problems import nothing_here
from dienrong.api.types import Code, Paging
from dienrong.scorecard import words

router = Router()
SCHOOL_ID = Path(..., description=_("Code of the school, of today or an old one."), examples=["01000001"])
PARTS = ("total", "correct", "complete", "clean", "fresh", "n_errors", "n_warnings")


class ScoreOut(Schema):
    """The score of a unit or a school from a day on; from 0 to 100, null where nothing could be scored."""

    unit_kind: str
    unit_code: str = Field(description=_("Code of the unit; empty for the whole country."))
    day: datetime.date = Field(description=_("Day from which the score holds."))
    total: float | None
    correct: float | None
    complete: float | None
    clean: float | None
    fresh: float | None
    n_errors: int
    n_warnings: int
    n_schools: int = Field(description=_("Schools behind the score; 1 for a school."))
    n_confirmed: int = Field(description=_("Schools that confirmed their data."))
    coverage: float | None = Field(description=_("Share of schools with data, 0 to 1; null for a school."))


class ScorePage(Schema):
    """A page of scores."""

    items: list[ScoreOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class FindingOut(Schema):
    """A cell that a rule finds at fault."""

    rule: str = Field(description=_("Name of the rule."))
    dimension: str = Field(description=_("correct, complete, clean or fresh."))
    severity: str = Field(description=_("error or warning."))
    row: str = Field(description=_("Grade or site within the school; empty for the school itself."))
    cell: str = Field(description=_("Code of the column."))
    sentence: str
    hint: str
    found_at: datetime.datetime


class FindingPage(Schema):
    """Every open finding of a school."""

    items: list[FindingOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class ScoreFilters(Paging):
    """Which scores."""

    unit_kind: Literal["nation", "province", "commune", "school"] = Field(
        ..., description=_("Kind of the units."), examples=["school"]
    )
    province: Code | None = Field(None, description=_("Only communes or schools of this province."))
    unit_code: Code | None = Field(None, description=_("Code of one unit."))
    history: bool = Field(
        False, description=_("Whether earlier scores are listed too; schools have the last alone.")
    )


class FindingFilters(Paging):
    """Which findings."""


@router.get(
    "/scores",
    response=ScorePage,
    operation_id="list_scores",
    summary=_("Scores of data quality by unit or school"),
)
def list_scores(request: HttpRequest, filters: Query[ScoreFilters]) -> dict[str, Any]:
    scope = _caller(request).scope
    if filters.unit_kind == "school":
        states = queries.school_scores(scope)
        if filters.province:
            states = states.filter(province_code=filters.province)
        if filters.unit_code:
            states = states.filter(school__school_id=filters.unit_code)
        return page_of(request, states, keys=("school__school_id",), paging=filters, write=_state)
    rows = queries.unit_scores(scope, filters.unit_kind, province_code=filters.province or "")
    if not filters.history:
        rows = rows.filter(is_current=True)
    if filters.unit_code:
        rows = rows.filter(unit_code=filters.unit_code)
    return page_of(request, rows, keys=("unit_code", "day"), paging=filters, write=_score)


@router.get(
    "/schools/{school_id}/findings",
    response=FindingPage,
    operation_id="list_findings",
    summary=_("What is to be mended in a school's data"),
)
def list_findings(
    request: HttpRequest, filters: Query[FindingFilters], school_id: Code = SCHOOL_ID
) -> dict[str, Any]:
    school = queries.school_of(_caller(request).scope, school_id)
    if school is None:
        raise nothing_here()
    rows = queries.findings_of(school)
    return page_of(request, rows, keys=("id",), paging=filters, write=_finding)


def _caller(request: HttpRequest) -> Caller:
    """Give the caller, who must hold the permission to see scores."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    permissions.demand(caller.user, "view_scorecard")
    return caller


def _score(row: Any) -> dict[str, Any]:
    """Write the score of a unit."""
    names = ("unit_kind", "unit_code", "day", "n_schools", "n_confirmed", "coverage")
    return {name: getattr(row, name) for name in (*names, *PARTS)}


def _state(state: Any) -> dict[str, Any]:
    """Write the score of a school."""
    return {
        "unit_kind": "school",
        "unit_code": state.school.school_id,
        "day": state.scored_at.date(),
        "n_schools": 1,
        "n_confirmed": int(state.is_confirmed),
        "coverage": None,
        **{name: getattr(state, name) for name in PARTS},
    }


def _finding(finding: Any) -> dict[str, Any]:
    """Write a finding in words."""
    names = ("rule", "dimension", "severity", "row", "cell", "found_at")
    return {
        **{name: getattr(finding, name) for name in names},
        "sentence": words.sentence(finding),
        "hint": words.hint(finding),
    }
