"""Derived columns of surveys: rebuilt whenever an answer, a report or the norm changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from dienrong.readiness import judging
from dienrong.readiness.models import Answer, MachineGroup, MachineReport, Mode, NormSet, Survey
from dienrong.readiness.queries.machines import counted, report_findings
from dienrong.readiness.queries.norms import norm_of, numbers_of, rules_of
from dienrong.readiness.queries.surveys import LACKS, facts_of

BLOCK = 2000
DERIVED = ("suggested", "n_needed", "n_machines", "n_meeting", "n_passed", "n_failed", "n_usable", *LACKS)
ASKED = ("n_headphones", "n_it_staff", "backup_power", "has_server", "network_type")


def judge_again(surveys: Iterable[Survey], norm: NormSet | None) -> None:
    """Rebuild the derived columns of surveys; six queries for each block of two thousand schools."""
    rows = list(surveys)
    if norm is None or not rows:
        return
    numbers, rules = numbers_of(norm), rules_of(norm)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        keys = [one.pk for one in block]
        groups: dict[int, list[MachineGroup]] = defaultdict(list)
        for group in MachineGroup.objects.filter(survey__in=keys):
            groups[group.survey_id].append(group)
        answers: dict[int, dict[str, str]] = defaultdict(dict)
        for key, question, value in Answer.objects.filter(survey__in=keys, question__in=ASKED).values_list(
            "survey_id", "question", "value"
        ):
            answers[key][question] = value
        reports = _reports(keys)
        for survey in block:
            n_machines, n_meeting = counted(groups[survey.pk], rules)
            n_passed, n_failed = reports.get(survey.pk, (0, 0))
            counts = {
                "n_machines": n_machines,
                "n_meeting": n_meeting,
                "n_passed": n_passed,
                "n_failed": n_failed,
            }
            _put(survey, judging.judge(facts_of(survey, answers[survey.pk], counts), numbers), counts)
        Survey.objects.bulk_update(block, DERIVED, batch_size=200)


def _reports(keys: list[int]) -> dict[int, tuple[int, int]]:
    """Count the machines that passed and failed by their newest reports, by survey."""
    failed = Q(verdict=MachineReport.Verdict.FAILED)
    rows = (
        MachineReport.objects.filter(link__survey__in=keys, is_latest=True)
        .order_by()
        .values_list("link__survey")
        .annotate(n_passed=Count("machine_id", filter=~failed, distinct=True))
        .annotate(n_failed=Count("machine_id", filter=failed, distinct=True))
    )
    return {key: (n_passed, n_failed) for key, n_passed, n_failed in rows}


def _put(survey: Survey, outcome: judging.Outcome, counts: dict[str, int]) -> None:
    """Write an outcome into the columns of a survey."""
    survey.suggested = Mode(outcome.mode)
    survey.n_needed = outcome.need.n_machines
    survey.n_usable = outcome.n_usable
    for name, value in counts.items():
        setattr(survey, name, value)
    for name in LACKS:
        setattr(survey, name, getattr(outcome, name))


def judge_survey(survey: Survey) -> None:
    """Rebuild the derived columns of one survey."""
    judge_again([survey], norm_of(survey.cycle))


def judge_cycle(cycle: Any, norm: NormSet) -> int:
    """Hold a new norm against every machine and school of a cycle; give how many schools there are."""
    newest = MachineReport.objects.filter(link__survey__cycle=cycle, is_latest=True).select_related("link")
    changed = []
    for report in newest.iterator(chunk_size=BLOCK):
        report.norm = norm
        report.verdict = MachineReport.Verdict(judging.verdict(report_findings(report, norm)))
        changed.append(report)
    MachineReport.objects.bulk_update(changed, ["norm", "verdict"], batch_size=500)
    rows = list(Survey.objects.filter(cycle=cycle).only(*_columns()))
    judge_again(rows, norm)
    return len(rows)


def _columns() -> tuple[str, ...]:
    """Name the columns that judging reads or writes."""
    return ("pk", "state", "n_students", "cycle_id", "school_id", *DERIVED)
