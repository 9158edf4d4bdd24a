"""What the machines of a school are: by the survey against the rules, and by their own reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, QuerySet

from dienrong.readiness import judging
from dienrong.readiness.models import CheckLink, MachineGroup, MachineReport, NormSet, Survey
from dienrong.readiness.queries.norms import rules_of

TOLD_BY_SURVEY = frozenset({"chromium", "firefox", "screen_width", "screen_height", "memory_gb"})
"""Measures that the survey tells; the rest only the machine itself can measure."""


def group_values(group: MachineGroup) -> dict[str, Any]:
    """Give a group of machines as one machine would report itself."""
    return {
        "engine": group.browser,
        "chromium": group.browser_version if group.browser == MachineGroup.Browser.CHROMIUM else None,
        "firefox": group.browser_version if group.browser == MachineGroup.Browser.FIREFOX else None,
        "screen_width": group.screen_width,
        "screen_height": group.screen_height,
        "memory_gb": group.memory_gb,
    }


def group_findings(group: MachineGroup, rules: Iterable[judging.Rule]) -> list[judging.Finding]:
    """Hold the rules that a survey can answer against a group of machines."""
    return judging.findings(group_values(group), [one for one in rules if one.measure in TOLD_BY_SURVEY])


def counted(groups: Iterable[MachineGroup], rules: list[judging.Rule]) -> tuple[int, int]:
    """Count the machines of groups, and those that meet the rules on paper."""
    n_machines = n_meeting = 0
    for group in groups:
        n_machines += group.n_working
        if judging.verdict(group_findings(group, rules)) != judging.FAILED:
            n_meeting += group.n_working
    return n_machines, n_meeting


def report_findings(report: MachineReport, norm: NormSet) -> list[judging.Finding]:
    """Hold the rules against a report; a measure that nobody asked of the machine is left out."""
    rules = rules_of(norm)
    if not report.link.server_address:
        rules = [one for one in rules if one.measure != "server_works"]
    values = {one.measure: getattr(report, one.measure) for one in rules}
    return judging.findings(values | {"engine": report.engine}, rules)


def reports_of(survey: Survey) -> QuerySet[MachineReport]:
    """List the newest report of each machine of a school, by the name of the machine."""
    return (
        MachineReport.objects.filter(link__survey=survey, is_latest=True)
        .select_related("link", "norm")
        .prefetch_related("norm__rules")
        .order_by("label", "received_at")
    )


def doubles(machines: Iterable[Any]) -> dict[Any, int]:
    """Tell of machines that reported for more than one school, for how many."""
    rows = (
        MachineReport.objects.filter(machine_id__in=list(machines))
        .order_by()
        .values("machine_id")
        .annotate(n=Count("link__survey", distinct=True))
        .filter(n__gt=1)
    )
    return {row["machine_id"]: row["n"] for row in rows}


def open_link(survey: Survey) -> CheckLink | None:
    """Give the link of a school that is open."""
    return CheckLink.objects.filter(survey=survey, is_open=True).first()


def link_by_code(code: str) -> CheckLink | None:
    """Give a link by its code, small letters and strokes set right; None where there is none."""
    key = code.strip().upper().replace("-", "").replace(" ", "")
    if not 8 <= len(key) <= 12:
        return None
    found = CheckLink.objects.select_related(
        "survey__school__commune", "survey__school__province", "survey__cycle"
    )
    return found.filter(code=key).first()
