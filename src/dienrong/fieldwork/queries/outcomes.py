"""Outcomes of a fieldwork as plain tables: what rates, forecasts and weights are computed from."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, QuerySet

from dienrong.fieldwork import numeric
from dienrong.fieldwork.models import FieldSchool, Fieldwork, ListedPerson
from dienrong.sampling.models import SampledSchool

State = FieldSchool.State
DONE = (State.TESTED, State.CLOSED)
ROLE = SampledSchool.Role
SCHOOL_COLUMNS = (
    "pk", "state", "attention", "participation_code", "n_listed", "n_classes", "replaces_id", "sampled_id",
    "sampled__school_code", "sampled__name", "sampled__role", "sampled__original_id", "sampled__stratum",
    "sampled__n_people", "sampled__base_weight", "school__school_id", "school__name",
    "school__province__code", "school__province__name", "school__commune__code", "school__commune__full_name",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What is known of some schools in the field: two queries, whatever their number.

    ``people`` counts the selected people of a school by class and code (None: no outcome yet).
    """

    fieldwork: Fieldwork
    schools: tuple[Mapping[str, Any], ...]
    people: Mapping[int, Mapping[tuple[str, int | None], int]]

    @property
    def rules(self) -> str:
        """Name of the programme's rules."""
        return str(self.fieldwork.plan.rules)


def collect(fieldwork: Fieldwork, schools: QuerySet[FieldSchool]) -> Collected:
    """Read schools of a fieldwork with the counts of their people."""
    rows = tuple(schools.order_by("sampled__selection_order", "number").values(*SCHOOL_COLUMNS))
    counts: dict[int, dict[tuple[str, int | None], int]] = defaultdict(dict)
    found = (
        ListedPerson.objects.filter(field_school__in=schools.order_by().values("pk"), is_selected=True)
        .order_by()
        .values_list("field_school", "drawn_class", "class_name", "status")
        .annotate(n=Count("pk"))
    )
    for key, drawn_class, class_name, status, n in found:
        cell = (drawn_class or class_name, status)
        counts[key][cell] = counts[key].get(cell, 0) + n
    return Collected(fieldwork=fieldwork, schools=rows, people=dict(counts))


def students_by_treatment(rules: str, cells: Mapping[tuple[str, int | None], int]) -> dict[str, int]:
    """Count people: selected, respondent, nonrespondent, excluded, ineligible, open."""
    kinds = {one.code: one.treatment for one in numeric.codes(rules, "student")}
    found = dict.fromkeys(("selected", "respondent", "nonrespondent", "excluded", "ineligible", "open"), 0)
    for (_name, status), n in cells.items():
        found["selected"] += n
        kind = "open" if status is None else kinds.get(status) or "open"
        found[kind] = found.get(kind, 0) + n
    return found


def school_rows(collected: Collected) -> list[dict[str, Any]]:
    """Give one row per sampled school: its outcome, and the school that took part in its place if any.

    A sampled school whose replacement lies outside the schools read counts as not replaced; a fieldwork reads
    replacements with their originals, since both stand in one stratum.
    """
    by_sampled = {row["sampled_id"]: row for row in collected.schools}
    of_original: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in collected.schools:
        if row["sampled__role"] != ROLE.ORIGINAL:
            of_original[row["sampled__original_id"]].append(row)
    stand_by = _replacements(by_sampled)
    found = []
    for row in collected.schools:
        if row["sampled__role"] != ROLE.ORIGINAL:
            continue
        chain = [row, *of_original.get(row["sampled_id"], [])]
        taking = next((one for one in chain if _took_part(one)), None)
        named = stand_by.get(row["sampled_id"], {})
        found.append(
            {
                "school_id": row["sampled__school_code"],
                "participant_id": taking["sampled__school_code"] if taking else None,
                "status": status_of(row),
                "enrolment": float(row["sampled__n_people"]),
                "base_weight": row["sampled__base_weight"],
                "stratum": row["sampled__stratum"],
                "enrolment_listed": float(taking["n_listed"]) if taking and taking["n_listed"] else None,
                "n_classes": float(taking["n_classes"]) if taking and taking["n_classes"] else None,
                "replacement_1": named.get(ROLE.REPLACEMENT_1),
                "replacement_2": named.get(ROLE.REPLACEMENT_2),
                "n_replacements_left": max(0, len(named) - sum(_is_lost(one) for one in chain[1:])),
            }
        )
    return found


def status_of(row: Mapping[str, Any]) -> int | None:
    """Give the code of a school's outcome; None while it is open."""
    if row["state"] in DONE or row["state"] == State.NOT_TAKING_PART:
        return int(row["participation_code"]) if row["participation_code"] else None
    return None


def _took_part(row: Mapping[str, Any]) -> bool:
    """Tell whether a school was tested with people who took part."""
    return row["state"] in DONE and row["participation_code"] == 1


def _is_lost(row: Mapping[str, Any]) -> bool:
    """Tell whether a replacement can no longer take part."""
    return status_of(row) is not None and not _took_part(row)


def _replacements(originals: Iterable[int]) -> dict[int, dict[str, str]]:
    """Name the replacements that the draw gave to sampled schools."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = SampledSchool.objects.filter(original__in=list(originals)).order_by()
    for original, role, code in rows.values_list("original", "role", "school_code"):
        found[original][role] = code
    return found


def student_rows(collected: Collected) -> list[dict[str, Any]]:
    """Give one row per selected person with an outcome in the schools that took part; identifiers are counted up."""
    rows = []
    for school in collected.schools:
        if not _took_part(school):
            continue
        code = school["sampled__school_code"]
        for (name, status), n in collected.people.get(school["pk"], {}).items():
            if status is None:
                continue
            rows += [
                {"school_id": code, "student_id": f"{code}/{name}/{status}/{number}", "status": status,
                 "class_id": name}
                for number in range(n)
            ]  # fmt: skip
    return rows


def rates_of(collected: Collected) -> numeric.Rates | None:
    """Compute the response rates of the schools read whose outcome is known; None while there are none.

    A school that refused counts once its replacements are settled: while one is still in the field its original
    is left out, since the rate after replacement is not known yet.
    """
    waiting = waiting_originals(collected)
    known = [
        row for row in school_rows(collected) if row["status"] is not None and row["school_id"] not in waiting
    ]
    if not known:
        return None
    taking = {row["participant_id"] for row in known}
    students = [row for row in student_rows(collected) if row["school_id"] in taking]
    return numeric.rates(known, students, rules=collected.rules)


def waiting_originals(collected: Collected) -> set[str]:
    """Name the sampled schools that a replacement still in the field may stand for."""
    names = {row["sampled_id"]: row["sampled__school_code"] for row in collected.schools}
    return {
        names[row["sampled__original_id"]]
        for row in collected.schools
        if row["sampled__role"] != ROLE.ORIGINAL
        and status_of(row) is None
        and row["sampled__original_id"] in names
    }


def forecast_of(collected: Collected) -> numeric.Forecast | None:
    """Forecast the final rates; None where no school is read, or none can be eligible."""
    rows = school_rows(collected)
    if not rows:
        return None
    try:
        return numeric.forecast(rows, rules=collected.rules, seed=collected.fieldwork.pk)
    except numeric.LsakitError:
        return None


def weight_tables(
    fieldwork: Fieldwork,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Give the tables of the weights: the sample of the draw, outcomes of schools, outcomes of people by their codes."""
    schools = FieldSchool.objects.filter(plan=fieldwork.plan_id)
    collected = collect(fieldwork, schools)
    outcomes = school_rows(collected)
    drawn = []
    named = {row["school_id"]: row for row in outcomes}
    for one in SampledSchool.objects.filter(draw__plan=fieldwork.plan_id, role=ROLE.ORIGINAL).order_by(
        "selection_order"
    ):
        stand_by = named.get(one.school_code, {})
        drawn.append(
            {
                "school_id": one.school_code,
                "stratum": one.stratum,
                "probability": one.probability,
                "base_weight": one.base_weight,
                "is_certainty": one.is_certainty,
                "selection_order": one.selection_order,
                "measure_of_size": float(one.n_people),
                "replacement_1": stand_by.get("replacement_1"),
                "replacement_2": stand_by.get("replacement_2"),
            }
        )
    taking = {row["participant_id"] for row in outcomes if row["participant_id"]}
    people = (
        ListedPerson.objects.filter(field_school__in=schools, is_selected=True, status__isnull=False)
        .order_by("person_code")
        .values_list("field_school__sampled__school_code", "person_code", "status", "drawn_class", "sex")
    )
    students = [
        {
            "school_id": code,
            "student_id": person,
            "status": status,
            "class_id": name or None,
            "gender": sex or None,
        }
        for code, person, status, name, sex in people
        if code in taking
    ]
    return drawn, outcomes, students
