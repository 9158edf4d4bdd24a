"""How a programme judges response rates: the acceptability chart, minima of stages, a table of ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from lsakit.io.frames import Table, make_table
from lsakit.weighting.profiles import RateStandard

Zone = Literal["acceptable", "acceptable_with_replacements", "intermediate", "not_acceptable"]
Rates = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Hold what a standard says of a sample's weighted rates.

    Parameters
    ----------
    zone : str
        "acceptable", "acceptable_with_replacements", "intermediate" or "not_acceptable".
    required_after : float or None
        School rate after replacement that is asked for; None where the rate before is too low for any, or
        replacements do not count.
    rating : str or None
        The programme's own word, where it has a table of ratings.
    bias_analysis : tuple of str
        Stages whose rate makes a non-response bias analysis due.
    criteria : polars.DataFrame
        criterion, rate, minimum (proportions), is_met (null where the rate is not known).
    """

    zone: Zone
    required_after: float | None
    rating: str | None
    bias_analysis: tuple[str, ...]
    criteria: Table


def zone_of(before: float, after: float, standard: RateStandard) -> tuple[Zone, float | None]:
    """Place school response rates in the acceptability chart.

    Parameters
    ----------
    before, after : float
        Weighted school response rates before and after replacement (proportions).
    standard : RateStandard
        The chart's numbers.

    Returns
    -------
    zone : str
        Name of the zone.
    required_after : float or None
        Rate after replacement on the border; None where the rate before is below the lowest, or
        replacements do not count.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapter 4, figure on school response rates.

    Examples
    --------
    >>> from lsakit.weighting.profiles import read_rules
    >>> zone_of(0.70, 0.93, read_rules("pisa").rates)
    ('acceptable_with_replacements', 0.925)
    """
    if before >= standard.acceptable_before:
        return "acceptable", standard.acceptable_before
    if before < standard.lowest_before:
        return "not_acceptable", None
    if not standard.counts_replacements:
        return "intermediate", None
    required = standard.acceptable_before + standard.slope * (standard.acceptable_before - before)
    return ("acceptable_with_replacements" if after >= required else "intermediate"), required


def judge(rates: Rates, standard: RateStandard) -> Judgement:
    """Judge the weighted rates of a sample.

    Parameters
    ----------
    rates : Mapping of str to float or None
        ``school_before``, ``school_after`` and, where known, ``class``, ``student``, ``overall_before``,
        ``overall_after`` (proportions).
    standard : RateStandard
        The programme's standard.

    Returns
    -------
    Judgement
        Zone, rating, what a bias analysis is due for, each criterion.

    Notes
    -----
    *Chart*: by the school rates alone. *Guidelines*: originals alone reach the minima of schools, classes and
    students, or the product reaches its minimum: acceptable; originals reach the lowest rate and the minima
    hold with replacements: acceptable with replacements; originals reach the lowest rate: intermediate.
    *Ratings*: the first row of the table whose minima hold. A rate that is not known yet hinders nothing.

    References
    ----------
    .. [1] ``docs/algorithms/response_rates.md``.

    Examples
    --------
    >>> from lsakit.weighting.profiles import read_rules
    >>> judge({"school_before": 0.6, "school_after": 0.8, "student": 0.9}, read_rules("talis").rates).rating
    'fair'
    """
    before = cast(float, rates["school_before"])
    zone, rating = place(rates, standard)
    required = zone_of(before, cast(float, rates["school_after"]), standard)[1]
    stages = (("school", before), ("class", rates.get("class")), ("student", rates.get("student")))
    limit = standard.bias_analysis_below
    due = [name for name, rate in stages if limit is not None and rate is not None and rate < limit]
    if standard.kind == "chart" and limit is None and zone == "intermediate":
        due = ["school"]
    return Judgement(
        zone=zone,
        required_after=required,
        rating=rating,
        bias_analysis=tuple(due),
        criteria=_criteria(rates, required, standard),
    )


def place(rates: Rates, standard: RateStandard) -> tuple[Zone, str | None]:
    """Name the zone of a sample, and the rating where the programme has one.

    Parameters
    ----------
    rates : Mapping of str to float or None
        As for `judge` (proportions).
    standard : RateStandard
        The programme's standard.

    Returns
    -------
    zone : str
        Name of the zone.
    rating : str or None
        The programme's word.
    """
    before, after = cast(float, rates["school_before"]), cast(float, rates["school_after"])
    if standard.kind == "guidelines":
        return _by_guidelines(before, rates, standard), None
    if standard.kind == "ratings":
        rating, zone = _by_ratings(before, after, rates.get("student"), standard)
        return zone, rating
    return zone_of(before, after, standard)[0], None


def _by_guidelines(before: float, rates: Rates, standard: RateStandard) -> Zone:
    """Judge by minima of each stage, or of their product."""
    inner = (
        _reaches(rates.get("class"), standard.class_minimum),
        _reaches(rates.get("student"), standard.student_minimum),
    )

    def holds(school: float, overall: float | None) -> bool:
        product = standard.overall_minimum is not None and overall is not None
        by_product = product and _reaches(overall, standard.overall_minimum)
        return (school >= standard.acceptable_before and all(inner)) or by_product

    if holds(before, rates.get("overall_before")):
        return "acceptable"
    if before < standard.lowest_before:
        return "not_acceptable"
    after = cast(float, rates["school_after"])
    return "acceptable_with_replacements" if holds(after, rates.get("overall_after")) else "intermediate"


def _by_ratings(
    before: float, after: float, student: float | None, standard: RateStandard
) -> tuple[str | None, Zone]:
    """Find the first row of the table of ratings whose minima hold."""
    for row in standard.ratings:
        if before >= row["before"] and after >= row["after"] and _reaches(student, row["student"]):
            return row["rating"], cast(Zone, row["zone"])
    return None, "not_acceptable"


def _reaches(rate: float | None, minimum: float | None) -> bool:
    """Say whether a rate reaches a minimum; what is not known or not asked for does not hinder."""
    return rate is None or minimum is None or rate >= minimum


def _criteria(rates: Rates, required: float | None, standard: RateStandard) -> Table:
    """List every minimum beside its rate."""
    rows: list[tuple[str, str, float | None]] = [
        ("school_before", "school_before", standard.acceptable_before),
        ("school_before_lowest", "school_before", standard.lowest_before),
        ("school_after", "school_after", required if standard.counts_replacements else None),
        ("class", "class", standard.class_minimum),
        ("student", "student", standard.student_minimum),
        ("overall_after", "overall_after", standard.overall_minimum),
    ]
    found: list[dict[str, Any]] = [
        {"criterion": name, "rate": rates.get(key), "minimum": minimum}
        for name, key, minimum in rows
        if minimum is not None
    ]
    return make_table(
        {
            "criterion": [one["criterion"] for one in found],
            "rate": [one["rate"] for one in found],
            "minimum": [one["minimum"] for one in found],
            "is_met": [None if one["rate"] is None else one["rate"] >= one["minimum"] for one in found],
        }
    )
