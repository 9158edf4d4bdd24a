"""Single events of schools: opened, merged, split, closed, renamed, given a new code, changed; and undone.

Each is planned as ``planning`` says, which refuses what cannot be, and then applied with its audit entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from dienrong.audit.operations import record
from dienrong.registry.models import School, SchoolEvent
from dienrong.registry.operations import planning
from dienrong.registry.operations.applying import Decision, Happening, apply_happenings
from dienrong.registry.operations.planning import NewSchool
from dienrong.registry.queries.sharing import Shares


@transaction.atomic
def open_school(*, new: NewSchool, decision: Decision, by: Any | None) -> School:
    """Open a school.

    Raises
    ------
    Refusal
        As ``plan_opening``.
    """
    return _apply(planning.plan_opening(new=new, decision=decision, by=by), decision, by)[0]


@transaction.atomic
def merge_schools(
    *, schools: Sequence[School], successor: School | NewSchool, decision: Decision, by: Any | None
) -> School:
    """Merge schools into one of them, or into a new one; give the school that goes on.

    Raises
    ------
    Refusal
        As ``plan_merger``.
    """
    planned = planning.plan_merger(schools=schools, successor=successor, decision=decision, by=by)
    return _apply(planned, decision, by)[0]


@transaction.atomic
def split_school(
    *,
    school: School,
    parts: Sequence[tuple[School | NewSchool, Shares]],
    decision: Decision,
    by: Any | None,
) -> list[School]:
    """Split a school among successors, itself perhaps one of them; each with pupils and classes by grade.

    Raises
    ------
    Refusal
        As ``plan_split``.
    """
    return _apply(planning.plan_split(school=school, parts=parts, decision=decision, by=by), decision, by)


@transaction.atomic
def close_school(*, school: School, decision: Decision, by: Any | None) -> School:
    """Close a school without successor.

    Raises
    ------
    Refusal
        As ``plan_closing``.
    """
    _apply(planning.plan_closing(school=school, decision=decision, by=by), decision, by)
    return school


@transaction.atomic
def rename_school(*, school: School, name: str, decision: Decision, by: Any | None) -> School:
    """Give a school another name from a day on.

    Raises
    ------
    Refusal
        As ``plan_renaming``.
    """
    return _apply(planning.plan_renaming(school=school, name=name, decision=decision, by=by), decision, by)[0]


@transaction.atomic
def recode_school(*, school: School, code: str, decision: Decision, by: Any | None) -> School:
    """Give a school another code from a day on; the old code goes on to find it.

    Raises
    ------
    Refusal
        As ``plan_recoding``.
    """
    return _apply(planning.plan_recoding(school=school, code=code, decision=decision, by=by), decision, by)[0]


@transaction.atomic
def change_school(*, school: School, traits: Mapping[str, Any], decision: Decision, by: Any | None) -> School:
    """Change traits of a school from a day on: its commune, levels, owner, boarding and the like.

    Raises
    ------
    Refusal
        As ``plan_change``.
    """
    planned = planning.plan_change(school=school, traits=traits, decision=decision, by=by)
    return _apply(planned, decision, by)[0]


def _apply(happening: Happening, decision: Decision, by: Any | None) -> list[School]:
    """Apply one event, write it down, and give the schools after it."""
    event = apply_happenings([happening], decision=decision, by=by)[0]
    record(
        action=f"registry.school_{_past(happening.kind)}",
        actor=by,
        obj=(happening.successors or happening.predecessors)[0],
        before={"schools": [school.school_id for school in happening.predecessors]},
        after={
            "schools": [school.school_id for school in happening.successors],
            "on_date": decision.on_date,
            "decision_number": decision.number,
            "event": event.pk,
        },
    )
    return list(happening.successors)


def _past(kind: str) -> str:
    """Say an event in the past tense, as audit actions are named."""
    return {
        SchoolEvent.Kind.OPEN: "opened",
        SchoolEvent.Kind.MERGE: "merged",
        SchoolEvent.Kind.SPLIT: "split",
        SchoolEvent.Kind.CLOSE: "closed",
        SchoolEvent.Kind.RENAME: "renamed",
        SchoolEvent.Kind.RECODE: "recoded",
        SchoolEvent.Kind.CHANGE: "changed",
    }[kind]
