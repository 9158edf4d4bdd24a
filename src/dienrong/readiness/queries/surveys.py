"""Reads of surveys: one school, lists, completeness by unit."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Sum, When

from dienrong.core.text import search_key
from dienrong.readiness import judging
from dienrong.readiness.form_file import Form, form_of
from dienrong.readiness.models import Mode, Survey, SurveyRound
from dienrong.readiness.queries import access
from dienrong.registry.models import SchoolVersion

LACKS = ("lack_machines", "lack_headphones", "lack_power", "lack_server", "lack_network")
DONE = (Survey.State.SUBMITTED, Survey.State.CHECKED, Survey.State.ACCEPTED)
BACKED = frozenset({"generator", "ups", "both", "battery"})


def survey_at(cycle: Any, school_id: str) -> Survey | None:
    """Give the survey of a school (by its code) in a cycle."""
    found = Survey.objects.select_related("school__commune", "school__province", "cycle")
    return found.filter(cycle=cycle, school__school_id=school_id).first()


def form(survey: Survey) -> Form:
    """Give the form that a survey answers."""
    return form_of(survey.form_version)


def answers_of(survey: Survey) -> dict[str, str]:
    """Give the answers of a survey by question."""
    return dict(survey.answers.values_list("question", "value"))


def facts_of(survey: Survey, answers: dict[str, str], counts: dict[str, int]) -> judging.Facts:
    """Put together what is known of a school, for the rules.

    Parameters
    ----------
    survey : Survey
        Whose students and state count.
    answers : dict
        Answers by question.
    counts : dict
        n_machines, n_meeting, n_passed, n_failed.
    """
    number = {name: int(answers.get(name) or 0) for name in ("n_headphones", "n_it_staff")}
    return judging.Facts(
        is_surveyed=survey.state in DONE,
        n_students=survey.n_students,
        **counts,
        **number,
        has_backup_power=answers.get("backup_power") in BACKED,
        has_server=answers.get("has_server") == "yes",
        has_network=answers.get("network_type") not in (None, "", "none"),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What narrows the list of schools."""

    search: str = ""
    state: str = ""
    mode: str = ""
    lack: str = ""
    commune: str = ""
    province: str = ""

    @property
    def is_used(self) -> bool:
        """Whether anything is narrowed."""
        return self != Narrowed()


def listed(user: Any, cycle: Any, narrowed: Narrowed) -> QuerySet[Survey]:
    """List the surveys of a person's schools by the Vietnamese order of the schools' names."""
    found = with_mode(access.surveys_of(user, cycle))
    for word in search_key(narrowed.search).split():
        former = SchoolVersion.objects.filter(code=word).values("school")
        found = found.filter(Q(school__search_key__contains=word) | Q(school__in=former))
    if narrowed.state in Survey.State.values:
        found = found.filter(state=narrowed.state)
    elif narrowed.state == "waiting":
        found = found.filter(state__in=(Survey.State.SUBMITTED, Survey.State.CHECKED))
    elif narrowed.state == "open":
        found = found.filter(state__in=(Survey.State.EMPTY, Survey.State.DRAFT, Survey.State.RETURNED))
    if narrowed.mode in Mode.values:
        found = found.filter(holding=narrowed.mode)
    if narrowed.lack in LACKS:
        found = found.filter(**{f"{narrowed.lack}__gt": 0})
    if narrowed.province:
        found = found.filter(school__province__code=narrowed.province)
    if narrowed.commune:
        found = found.filter(school__commune__code=narrowed.commune)
    return found.select_related("school__commune", "school__province").order_by(
        "school__sort_key", "school__school_id"
    )


def with_mode(found: QuerySet[Survey]) -> QuerySet[Survey]:
    """Add the mode that holds as ``holding``: the decided one, else the suggested."""
    return found.annotate(holding=Case(When(~Q(decided=""), then=F("decided")), default=F("suggested")))


def totals(found: QuerySet[Survey]) -> dict[str, int]:
    """Count surveys by state and by the mode that holds, and sum up what is needed and lacking."""
    counts: dict[str, Any] = {"n": Count("pk")}
    for state in Survey.State.values:
        counts[f"state_{state}"] = Count("pk", filter=Q(state=state))
    for mode in Mode.values:
        counts[f"mode_{mode}"] = Count("pk", filter=Q(decided=mode) | Q(decided="", suggested=mode))
    for name in ("n_students", "n_needed", "n_machines", "n_usable", "n_passed", "n_failed", *LACKS):
        counts[f"sum_{name}"] = Sum(name)
    row = found.order_by().aggregate(**counts)
    return {name: value or 0 for name, value in row.items()}


def by_unit(found: QuerySet[Survey], level: str) -> list[dict[str, Any]]:
    """Count surveys by commune or province: asked, begun, waiting, accepted, and the modes that hold."""
    unit = f"school__{level}"
    rows = (
        found.order_by()
        .values(code=F(f"{unit}__code"), name=F(f"{unit}__full_name"))
        .annotate(
            n=Count("pk"),
            n_empty=Count("pk", filter=Q(state=Survey.State.EMPTY)),
            n_draft=Count("pk", filter=Q(state__in=(Survey.State.DRAFT, Survey.State.RETURNED))),
            n_waiting=Count("pk", filter=Q(state__in=(Survey.State.SUBMITTED, Survey.State.CHECKED))),
            n_accepted=Count("pk", filter=Q(state=Survey.State.ACCEPTED)),
            n_computer=Count("pk", filter=Q(decided="computer") | Q(decided="", suggested="computer")),
            n_mixed=Count("pk", filter=Q(decided="mixed") | Q(decided="", suggested="mixed")),
            n_paper=Count("pk", filter=Q(decided="paper") | Q(decided="", suggested="paper")),
            lack=Sum("lack_machines"),
        )
        .order_by("code")
    )
    return list(rows)


def rounds_of(user: Any, cycle: Any) -> QuerySet[SurveyRound]:
    """List the rounds of a cycle in the provinces that a person has to do with."""
    provinces = access.surveys_of(user, cycle).order_by().values("school__province")
    scope = access.scope_of(user)
    found = SurveyRound.objects.filter(cycle=cycle).select_related("province")
    return (
        found
        if scope.is_national
        else found.filter(Q(province__in=provinces) | Q(province__code__in=scope.provinces))
    )
