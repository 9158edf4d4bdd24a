"""Response rates of schools and students, and the zone they fall in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, floats, make_table, strings
from lsakit.weighting.classes import ClassChain, ClassOutcomes, chain_of_classes, count_by_class, read_classes
from lsakit.weighting.participation import (
    NONRESPONDENT,
    OUTCOMES,
    RESPONDENT,
    SchoolOutcomes,
    StudentOutcomes,
    WithinSchool,
    count_within,
    read_schools,
    read_students,
    with_listed,
)
from lsakit.weighting.profiles import Rules, read_rules
from lsakit.weighting.standards import Judgement, Zone, judge, zone_of

__all__ = ["Rate", "ResponseRates", "response_rates", "zone_of"]


class Rate(float):
    """Hold one response rate; as a number it is the weighted rate, a proportion.

    Parameters
    ----------
    numerator, denominator : float
        Weighted totals, students.
    n_numerator, n_denominator : int
        Unweighted counts of schools or students.
    """

    numerator: float
    denominator: float
    n_numerator: int
    n_denominator: int
    __slots__ = ("denominator", "n_denominator", "n_numerator", "numerator")

    def __new__(cls, numerator: float, denominator: float, n_numerator: int, n_denominator: int) -> Rate:
        """Divide, and keep the parts."""
        rate = super().__new__(cls, numerator / denominator)
        rate.numerator, rate.denominator = numerator, denominator
        rate.n_numerator, rate.n_denominator = n_numerator, n_denominator
        return rate

    def __getnewargs__(self) -> tuple[float, float, int, int]:  # type: ignore[override]
        """Keep the parts in copies."""
        return self.numerator, self.denominator, self.n_numerator, self.n_denominator

    @property
    def weighted(self) -> float:
        """Weighted rate (proportion)."""
        return float(self)

    @property
    def unweighted(self) -> float:
        """Unweighted rate (proportion)."""
        return self.n_numerator / self.n_denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRates:
    """Hold the response rates of a sample.

    Parameters
    ----------
    school_before, school_after : Rate
        Schools before and after replacement; ``.weighted`` and ``.unweighted``.
    student : Rate or None
        Students in the schools that count; None where no students table was given.
    required_after : float or None
        Rate after replacement that the standard asks for, given the rate before; None where the rate
        before is too low for any.
    zone : str
        "acceptable", "acceptable_with_replacements", "intermediate" or "not_acceptable", from the weighted
        school rates.
    is_student_rate_met : bool or None
        Whether the weighted student rate reaches the standard.
    table : polars.DataFrame
        rate, weighted, unweighted, numerator, denominator, n_numerator, n_denominator.
    schools : polars.DataFrame
        One row per sampled school: outcome, n_sampled, n_eligible, n_respondents, within_rate,
        counts_for_rate, needs_make_up (whether the attended share is below the rules' trigger; null where
        there is no trigger or no eligible student).
    rules : Rules
        The rules used.
    class_rate : Rate or None
        Classes in the schools that count; None where the programme draws no classes.
    overall_before, overall_after : float or None
        Product of the weighted rates of schools, classes (if drawn) and students; None without students.
    judgement : Judgement
        What the programme's standard says: zone, rating, each criterion, what a bias analysis is due for.
    schema : str
        Name and version of this result's form.
    """

    school_before: Rate
    school_after: Rate
    student: Rate | None
    required_after: float | None
    zone: Zone
    is_student_rate_met: bool | None
    table: Table
    schools: Table
    rules: Rules
    class_rate: Rate | None
    overall_before: float | None
    overall_after: float | None
    judgement: Judgement
    schema: str = "lsakit.response_rates/2"


def response_rates(
    schools: Any, students: Any = None, *, rules: str | Rules | Mapping[str, Any] = "pisa"
) -> ResponseRates:
    """Compute response rates of schools before and after replacement, and of students.

    Parameters
    ----------
    schools : table
        One row per sampled school: school_id, participant_id (the school that took part, itself or a
        replacement, or null; without the column nobody was replaced), status, enrolment, base_weight;
        enrolment_listed where students are given, unless they have ``probability`` (n_classes where classes
        are drawn); stratum, if the
        student rate is to use non-response factors by stratum.
    students : table, optional
        One row per sampled student: school_id (that took part), student_id, status; class_id where the
        programme draws classes.
    rules : str or Rules or Mapping, default "pisa"
        Codes and standards.

    Returns
    -------
    ResponseRates
        Rates, zone, within-school rates.

    Raises
    ------
    DesignError
        If a rate has an empty denominator, or the tables contradict each other.
    TableError
        If a column is absent or holds what it may not hold.

    Notes
    -----
    Schools are weighted by base weight times frame enrolment, students by school base weight, school
    non-response factor in the explicit stratum, and within-school weight. Only schools in which the share
    of ``school_minimum`` took part count, in the student rate as well.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapters 4 and 11.
    .. [2] ``docs/algorithms/response_rates.md``.
    """
    ruled = read_rules(rules)
    outcomes = read_schools(schools, ruled)
    weight = floats(outcomes.table, "base_weight", param="schools table")
    _refuse_weights(weight, outcomes)
    people = None if students is None else read_students(students, outcomes, ruled)
    outcomes = outcomes if people is None else with_listed(outcomes, people, ruled)
    counts = _unlisted(outcomes) if people is None else count_within(outcomes, people, ruled)
    classes = None
    if people is not None and ruled.structure.units == "classes":
        classes = read_classes(people, ruled)
        counts = count_by_class(counts, classes)
    eligible = (counts.outcome == RESPONDENT) | (counts.outcome == NONRESPONDENT)
    itself = np.asarray(outcomes.participant_id, dtype=object) == np.asarray(outcomes.school_id, dtype=object)
    weighted = weight * outcomes.enrolment
    found: dict[str, Rate | None] = {
        "school_before": _rate(counts.counts_for_rate & itself, eligible, weighted, "schools"),
        "school_after": _rate(counts.counts_for_rate, eligible, weighted, "schools"),
    }
    if people is not None and classes is not None:
        found["class"], found["student"] = _class_rates(people, outcomes, counts, classes, weight)
    elif people is not None:
        found["student"] = _student_rate(people, outcomes, counts, weight)
    return _assemble(found, _school_table(outcomes, counts, ruled), ruled)


def _assemble(found: dict[str, Rate | None], schools: Table, rules: Rules) -> ResponseRates:
    """Judge the rates and put the result together."""
    before, after, student = found["school_before"], found["school_after"], found.get("student")
    assert before is not None
    assert after is not None
    inner = None if student is None else student.weighted * (found.get("class") or 1.0)
    overall = {
        "overall_before": None if inner is None else before * inner,
        "overall_after": None if inner is None else after * inner,
    }
    known = {name: None if rate is None else rate.weighted for name, rate in found.items()}
    judgement = judge({**known, **overall}, rules.rates)
    return ResponseRates(
        school_before=before,
        school_after=after,
        student=student,
        required_after=judgement.required_after,
        zone=judgement.zone,
        is_student_rate_met=None if student is None else student.weighted >= rules.rates.student_minimum,
        table=_rate_table(found),
        schools=schools,
        rules=rules,
        class_rate=found.get("class"),
        overall_before=overall["overall_before"],
        overall_after=overall["overall_after"],
        judgement=judgement,
    )


def _unlisted(outcomes: SchoolOutcomes) -> WithinSchool:
    """Count no students: every school that took part counts."""
    none = np.zeros(len(outcomes.school_id), dtype=np.int64)
    took_part = outcomes.outcome == RESPONDENT
    return WithinSchool(
        n_sampled=none,
        n_eligible=none,
        n_respondents=none,
        outcome=outcomes.outcome,
        counts_for_rate=took_part,
    )


def _refuse_weights(weight: NDArray[np.float64], outcomes: SchoolOutcomes) -> None:
    """Refuse base weights that are not positive."""
    bad = np.flatnonzero(weight <= 0)
    if len(bad):
        raise TableError(
            f"The column 'base_weight' of the schools table must be positive. Got {weight[bad[0]]:g} "
            f"in {len(bad)} of {len(weight)} schools.",
            where=[outcomes.school_id[row] for row in bad.tolist()],
            hint="Take the base weights of the draw.",
            param="base_weight",
            got=float(weight[bad[0]]),
        )


def _rate(
    reached: NDArray[np.bool_], eligible: NDArray[np.bool_], weighted: NDArray[np.float64], units: str
) -> Rate:
    """Divide the weighted totals, refusing an empty denominator."""
    total = float(weighted[eligible].sum())
    if total <= 0:
        raise DesignError(
            f"The response rate of {units} has an empty denominator: no eligible {units} with a weight.",
            hint="Check the status codes; at least one unit must be eligible.",
            param=units,
        )
    return Rate(float(weighted[reached].sum()), total, int(reached.sum()), int(eligible.sum()))


def _student_rate(
    people: StudentOutcomes, outcomes: SchoolOutcomes, counts: WithinSchool, weight: NDArray[np.float64]
) -> Rate:
    """Weigh the students of the schools that count by base weight, school factor and within-school weight."""
    counted = counts.counts_for_rate
    listed = outcomes.enrolment_listed
    bad = np.flatnonzero(counted & ~(listed >= counts.n_sampled))
    if len(bad):
        raise TableError(
            f"The column 'enrolment_listed' must hold at least the students drawn. "
            f"It does not in {len(bad)} schools that took part.",
            where=[outcomes.participant_id[row] for row in bad.tolist()],
            hint="Count the students on the list from which they were drawn.",
            param="enrolment_listed",
        )
    within = np.divide(listed, counts.n_sampled, out=np.zeros(len(listed)), where=counted)
    by_school = weight * within * _stratum_factor(outcomes, counts, weight)
    inside = counted[people.school_row] & (people.outcome <= NONRESPONDENT)
    reached = inside & (people.outcome == RESPONDENT)
    return _rate(reached, inside, by_school[people.school_row], "students")


def _stratum_factor(
    outcomes: SchoolOutcomes, counts: WithinSchool, weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """School non-response factor in each explicit stratum, over schools that count for the rate."""
    has_stratum = "stratum" in outcomes.table.columns
    labels = strings(outcomes.table, "stratum", param="schools table") if has_stratum else []
    code = (
        np.unique(np.asarray(labels), return_inverse=True)[1] if has_stratum else np.zeros(len(weight), int)
    )
    weighted = weight * outcomes.enrolment
    eligible = (counts.outcome == RESPONDENT) | (counts.outcome == NONRESPONDENT)
    everyone = np.bincount(code[eligible], weighted[eligible], minlength=int(code.max()) + 1)
    counted = counts.counts_for_rate
    reached = np.bincount(code[counted], weighted[counted], minlength=int(code.max()) + 1)
    factor = np.divide(everyone, reached, out=np.ones_like(everyone), where=reached > 0)
    by_school: NDArray[np.float64] = factor[code]
    return by_school


def _class_rates(
    people: StudentOutcomes,
    outcomes: SchoolOutcomes,
    counts: WithinSchool,
    classes: ClassOutcomes,
    weight: NDArray[np.float64],
) -> tuple[Rate, Rate]:
    """Rates of classes in the schools that count, and of students in the classes that count."""
    has_stratum = "stratum" in outcomes.table.columns
    stratum = strings(outcomes.table, "stratum", param="schools table") if has_stratum else [""] * len(weight)
    chain: ClassChain = chain_of_classes(stratum, outcomes, people, counts, classes)
    row = classes.school_row
    school = (weight * chain.school_factor[chain.stratum_code])[row]
    by_student = school * chain.class_weight * chain.student_weight
    inside = (counts.outcome[row] == RESPONDENT) & classes.is_eligible
    class_rate = _rate(inside & classes.counts, inside, by_student * classes.n_eligible, "classes")
    adjusted = by_student * chain.class_factor[chain.stratum_code][row]
    of = classes.class_of_student
    in_class = (inside & classes.counts)[of] & (people.outcome <= NONRESPONDENT)
    reached = in_class & (people.outcome == RESPONDENT)
    return class_rate, _rate(reached, in_class, adjusted[of], "students")


def _rate_table(rates: Mapping[str, Rate | None]) -> Table:
    """Write the rates as a table."""
    known = {name: rate for name, rate in rates.items() if rate is not None}
    return make_table(
        {
            "rate": list(known),
            "weighted": [rate.weighted for rate in known.values()],
            "unweighted": [rate.unweighted for rate in known.values()],
            "numerator": [rate.numerator for rate in known.values()],
            "denominator": [rate.denominator for rate in known.values()],
            "n_numerator": [rate.n_numerator for rate in known.values()],
            "n_denominator": [rate.n_denominator for rate in known.values()],
        }
    )


def _school_table(outcomes: SchoolOutcomes, counts: WithinSchool, rules: Rules) -> Table:
    """Write each school's participation."""
    share = [
        n / total if total else None
        for n, total in zip(counts.n_respondents.tolist(), counts.n_eligible.tolist(), strict=True)
    ]
    trigger = rules.make_up.attended_minimum
    make_up = [None if one is None or trigger is None else one < trigger for one in share]
    table = make_table(
        {
            "school_id": outcomes.school_id,
            "participant_id": [one or None for one in outcomes.participant_id],
            "outcome": np.asarray(OUTCOMES, dtype=object)[counts.outcome],
            "n_sampled": counts.n_sampled,
            "n_eligible": counts.n_eligible,
            "n_respondents": counts.n_respondents,
            "within_rate": share,
            "counts_for_rate": counts.counts_for_rate,
            "needs_make_up": make_up,
        }
    )
    types = table.schema
    return table.cast({"participant_id": types["school_id"]})
