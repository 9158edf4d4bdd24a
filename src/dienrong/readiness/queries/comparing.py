"""What would become of rows of surveys and of groups of machines that come in files; nothing is changed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.row_changes import CellProblem, RowChange
from dienrong.cycles.queries import current_cycle
from dienrong.readiness.form_file import CURRENT, AnswerError, form_of, read_answer
from dienrong.readiness.models import Answer, MachineGroup, Survey
from dienrong.registry.models import School

Rows = Sequence[tuple[int, Mapping[str, Any]]]
QUESTIONS = tuple(one for one in form_of(CURRENT).questions if one.kind != "groups")
HAND_IN = "hand_in"
GROUP_NUMBERS = ("n_working", "year_bought", "memory_gb", "screen_width", "screen_height", "browser_version")
GROUP_FIELDS = ("kind", "system", "browser", *GROUP_NUMBERS)


@dataclasses.dataclass(slots=True)
class SurveyRow:
    """A row of a file with the survey that it is about."""

    number: int
    key: str
    values: dict[str, Any]
    problems: list[CellProblem] = dataclasses.field(default_factory=list)
    changes: dict[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    survey: Survey | None = None
    before: dict[str, Any] | None = None

    def change(self) -> RowChange:
        """Say what becomes of the row."""
        if self.problems:
            return RowChange(
                number=self.number,
                key=self.key,
                verdict="refused",
                values=self.values,
                problems=tuple(self.problems),
            )
        verdict = ("new" if self.before is None else "changed") if self.changes else "unchanged"
        return RowChange(
            number=self.number,
            key=self.key,
            verdict=verdict,
            values=self.values,
            changes=self.changes,  # type: ignore[arg-type]
        )


def _problem(column: str, value: Any, sentence: str, hint: str = "") -> CellProblem:
    """Say why a cell cannot be taken."""
    return CellProblem(column=column, value="" if value is None else str(value), sentence=sentence, hint=hint)


def _surveys(rows: Rows) -> dict[str, Survey]:
    """Give the surveys of the current cycle that rows are about, by code of the school."""
    codes = sorted({str(row["school_id"]) for _number, row in rows if row.get("school_id")})
    found = Survey.objects.filter(cycle=current_cycle(), school__school_id__in=codes)
    return {one.school.school_id: one for one in found.select_related("school__commune", "school__province")}


def _find(row: SurveyRow, surveys: Mapping[str, Survey], scope: Scope) -> None:
    """Find the survey of a row, and say why its answers cannot change."""
    code = str(row.values.get("school_id") or "")
    survey = surveys.get(code)
    school = (
        survey.school
        if survey
        else School.objects.filter(school_id=code).select_related("commune", "province").first()
    )
    if school is None or not scope.covers(school.province.code, school.commune.code, school.school_id):
        row.problems.append(
            _problem(
                "school_id",
                code,
                _("No school in your charge has code %(code)s.") % {"code": code},
                _("Check the code."),
            )
        )
    elif survey is None:
        row.problems.append(
            _problem(
                "school_id", code, _("This school is not asked in the current cycle."),
                _("The province opens the survey for it first."),
            )
        )  # fmt: skip
    elif not survey.is_open:
        row.problems.append(
            _problem(
                "school_id", code, _("The survey of this school was handed in already."),
                _("Return it first if its answers are to change."),
            )
        )  # fmt: skip
    else:
        row.survey = survey


def plan_surveys(rows: Rows, *, scope: Scope, seen: dict[str, int] | None = None) -> list[SurveyRow]:
    """Compare rows of answers with what is kept; five queries for a block of rows."""
    seen = {} if seen is None else seen
    surveys = _surveys(rows)
    kept: dict[int, dict[str, str]] = {one.pk: {} for one in surveys.values()}
    for key, question, value in Answer.objects.filter(survey__in=kept).values_list(
        "survey_id", "question", "value"
    ):
        kept[key][question] = value
    with_groups = set(MachineGroup.objects.filter(survey__in=kept).values_list("survey_id", flat=True))
    found = []
    for number, values in rows:
        row = SurveyRow(number=number, key=str(values.get("school_id") or ""), values=dict(values))
        _find(row, surveys, scope)
        if seen.setdefault(row.key, number) != number:
            row.problems.append(
                _problem(
                    "school_id", row.key, _("Row %(row)s is about the same school.") % {"row": seen[row.key]}
                )
            )
        if row.survey is not None:
            _compare_answers(row, kept[row.survey.pk], row.survey.pk in with_groups)
        found.append(row)
    return found


def _compare_answers(row: SurveyRow, kept: dict[str, str], has_groups: bool) -> None:
    """Compare the cells of a row with the answers of its survey; an empty cell changes nothing."""
    after = dict(kept)
    for question in QUESTIONS:
        cell = row.values.get(question.code)
        if cell is None or cell == "":
            continue
        text = ("yes" if cell else "no") if isinstance(cell, bool) else str(cell)
        try:
            value = read_answer(question, text)
        except AnswerError as problem:
            row.problems.append(_problem(question.code, cell, str(problem)))
            continue
        row.values[question.code] = value
        after[question.code] = value
        if kept.get(question.code, "") != value:
            row.changes[question.code] = (kept.get(question.code), value)
    row.before = dict(kept) if kept else None
    if row.values.get(HAND_IN) is True:
        missing = form_of(CURRENT).missing(after, int(has_groups))
        if missing:
            names = ", ".join(one.label for one in missing[:5])
            row.problems.append(
                _problem(
                    HAND_IN, _("Yes"), _("%(n)s questions are not answered yet: %(names)s.") % {"n": len(missing), "names": names},
                    _("Fill these cells in; groups of machines come with their own file."),
                )
            )  # fmt: skip
        else:
            row.changes[HAND_IN] = (False, True)


def plan_groups(rows: Rows, *, scope: Scope, seen: dict[str, int] | None = None) -> list[SurveyRow]:
    """Compare rows of groups of machines with what is kept."""
    seen = {} if seen is None else seen
    surveys = _surveys(rows)
    kept = {
        (one.survey_id, one.position): one
        for one in MachineGroup.objects.filter(survey__in=[survey.pk for survey in surveys.values()])
    }
    found = []
    for number, values in rows:
        key = f"{values.get('school_id') or ''}·{values.get('position') or ''}"
        row = SurveyRow(number=number, key=key, values=dict(values))
        _find(row, surveys, scope)
        if seen.setdefault(key, number) != number:
            row.problems.append(
                _problem(
                    "position",
                    values.get("position"),
                    _("Row %(row)s is about the same group.") % {"row": seen[key]},
                )
            )
        if row.survey is not None:
            _compare_group(row, kept.get((row.survey.pk, int(values.get("position") or 0))))
        found.append(row)
    return found


def _compare_group(row: SurveyRow, group: MachineGroup | None) -> None:
    """Compare a row with a group of machines; a new group needs every cell."""
    for name in GROUP_FIELDS:
        cell = row.values.get(name)
        if cell is None or cell == "":
            if group is None:
                row.problems.append(_problem(name, cell, _("A new group of machines needs this cell.")))
            continue
        before = getattr(group, name) if group is not None else None
        if before != cell:
            row.changes[name] = (before, cell)
    year = row.values.get("year_bought")
    if isinstance(year, int) and year > clock.today().year:
        row.problems.append(
            _problem("year_bought", year, _("The year in which the machines were bought lies ahead."))
        )
    row.before = group_values(group) if group is not None else None


def group_values(group: MachineGroup) -> dict[str, Any]:
    """Give a group as JSON."""
    return {"survey": group.survey_id, "position": group.position} | {
        name: getattr(group, name) for name in GROUP_FIELDS
    }
