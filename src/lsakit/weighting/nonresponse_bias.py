"""Non-response bias analysis in three parts: original respondents, after replacement, after adjustment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.io.frames import Table, as_table, floats, make_table, refuse_duplicates, require_columns, strings
from lsakit.weighting.nonresponse_measures import rao_scott, representativity, response_propensities
from lsakit.weighting.participation import NONRESPONDENT, RESPONDENT, read_schools
from lsakit.weighting.profiles import Rules, read_rules
from lsakit.weighting.weighted import FinalWeights

SMALL_EFFECT, LARGE_EFFECT = 0.1, 0.2
N_CLASSES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NonresponseBias:
    """Hold a non-response bias analysis.

    Parameters
    ----------
    table : polars.DataFrame
        One row per stage ("school", "student"), part ("originals", "after_replacement",
        "after_adjustment"; "respondents" for students), characteristic and level (null for a number):
        n_all, n_respondents, all, respondents, nonrespondents (means, or shares of a level; null where
        nobody is), bias (respondents − all), relative_bias (null where all is 0), effect_size (bias over
        the standard deviation), flag ("none", "small" from 0.1, "act" from 0.2).
    tests : polars.DataFrame
        stage, part, characteristic, chi_square, df, p_value, f_p_value of the Rao–Scott test that response
        and characteristic are independent; null where all or none responded, or all are alike.
    representativity : polars.DataFrame
        stage, part, r_indicator, bias_bound, mean_propensity.
    rules : Rules
        The rules used.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    tests: Table
    representativity: Table
    rules: Rules
    schema: str = "lsakit.nonresponse_bias/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Hold the two groups of one comparison: everyone as sampled, respondents as they stand for them."""

    stage: str
    part: str
    everyone: Table
    weight: NDArray[np.float64]
    responded: NDArray[np.bool_]
    respondents: Table
    respondent_weight: NDArray[np.float64]
    psu: NDArray[np.int64]
    stratum: NDArray[np.int64]


def nonresponse_bias(
    schools: Any,
    frame: Any,
    *,
    by: Sequence[str],
    weights: FinalWeights | None = None,
    students: Any = None,
    rules: str | Rules | Mapping[str, Any] = "pisa",
) -> NonresponseBias:
    """Compare respondents with all who were sampled, on what is known of both.

    Parameters
    ----------
    schools : table
        One row per sampled school, as for `response_rates`: school_id, participant_id, status, enrolment,
        base_weight; stratum where the sample is stratified.
    frame : table
        school_id and the characteristics of schools, for every sampled school and every replacement that
        took part.
    by : Sequence of str
        Characteristics: columns of the frame for the schools, columns of ``students`` for the students.
        Text and truth values are compared by the share of each level, numbers by their mean.
    weights : FinalWeights, optional
        Needed for the part after adjustment, and for students.
    students : table, optional
        student_id and characteristics of all eligible sampled students.
    rules : str or Rules or Mapping, default "pisa"
        Codes.

    Returns
    -------
    NonresponseBias
        Bias, relative bias and effect size of each characteristic, tests, R-indicators.

    Raises
    ------
    DesignError
        If a school is not in the frame, or nobody responded.
    TableError
        If a column is absent or has missing values.

    Notes
    -----
    Schools weigh ``w1 * enr`` as in the response rate, students ``f1 * t1 * w1 * w2``. Under equal weights the
    bias is ``(1 − RR)(mean of respondents − mean of others)``. After replacement, a replacement brings its own
    characteristics under the weight of the school that it replaces. What is compared is known before the
    test; achievement itself is not.

    References
    ----------
    .. [1] NCES, NAEP Technical Documentation, nonresponse bias analysis (three parts).
    .. [2] ``docs/algorithms/nonresponse_bias.md``.
    """
    ruled = read_rules(rules)
    facts = as_table(frame, param="frame")
    refuse_duplicates(facts, "school_id", param="frame")
    people = None if students is None else as_table(students, param="students")
    of_schools = [name for name in by if name in facts.columns]
    of_students = [name for name in by if people is not None and name in people.columns]
    unknown = [name for name in by if name not in {*of_schools, *of_students}]
    require_columns(facts, unknown, param="frame")
    if not by:
        raise DesignError("The 'by' parameter names no characteristic.", param="by")
    parts: list[tuple[_Part, list[str]]] = []
    if of_schools:
        found = _school_parts(schools, facts, weights, ruled)
        parts += [(part, of_schools) for part in found]
    if people is not None and of_students:
        parts += [(part, of_students) for part in _student_parts(people, weights)]
    return NonresponseBias(
        table=_as_table([row for part, names in parts for name in names for row in _compare(part, name)]),
        tests=_as_table([_test(part, name) for part, names in parts for name in names if _tests(part)]),
        representativity=_as_table([_indicator(part, names) for part, names in parts if _tests(part)]),
        rules=ruled,
    )


def _tests(part: _Part) -> bool:
    """Say whether a part compares response itself; after adjustment there are only weights."""
    return part.part != "after_adjustment"


def _school_parts(schools: Any, facts: Table, weights: FinalWeights | None, rules: Rules) -> list[_Part]:
    """Form the three comparisons of schools."""
    outcomes = read_schools(schools, rules)
    eligible = np.flatnonzero(outcomes.outcome <= NONRESPONDENT)
    ids = [outcomes.school_id[row] for row in eligible.tolist()]
    who = [outcomes.participant_id[row] for row in eligible.tolist()]
    place = {one: row for row, one in enumerate(strings(facts, "school_id", param="frame"))}
    gone = sorted({one for one in (*ids, *who) if one and one not in place})
    if gone:
        raise DesignError(
            f"{len(gone)} sampled or replacement schools are not in the frame.",
            where=gone,
            why="Without its characteristics a school can be compared with none.",
            hint="Pass the frame of the draw; a school that closed since stays in it.",
            param="frame",
        )
    base = floats(outcomes.table, "base_weight", param="schools table")[eligible]
    weight = base * outcomes.enrolment[eligible]
    reached = outcomes.outcome[eligible] == RESPONDENT
    itself = np.asarray([one == school for one, school in zip(who, ids, strict=True)])
    everyone = facts[[place[one] for one in ids]]
    groups = [("originals", itself, weight), ("after_replacement", reached, weight)]
    if weights is not None:
        groups.append(("after_adjustment", *_adjusted(weights, ids)))
    return [
        _Part(
            stage="school",
            part=name,
            everyone=everyone,
            weight=weight,
            responded=responded,
            respondents=facts[[place[one] for one, yes in zip(who, responded, strict=True) if yes]],
            respondent_weight=carried[responded],
            psu=np.arange(len(ids)),
            stratum=_strata(outcomes.table, eligible),
        )
        for name, responded, carried in groups
    ]


def _strata(table: Table, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the explicit strata; one stratum where the table names none."""
    if "stratum" not in table.columns:
        return np.zeros(len(rows), dtype=np.int64)
    labels = np.asarray(strings(table, "stratum", param="schools table"))[rows]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _adjusted(weights: FinalWeights, ids: list[str]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Take who counts in the weighting and the adjusted weight of each school, times its size."""
    place = {one: row for row, one in enumerate(strings(weights.schools, "school_id"))}
    absent = [one for one in ids if one not in place]
    if absent:
        raise DesignError(
            f"{len(absent)} sampled schools have no row in the weights.",
            where=absent,
            hint="Pass the weights of this sample.",
            param="weights",
        )
    rows = [place[one] for one in ids]
    carried = np.ones(weights.schools.height)
    for name in ("base_weight", "trimming_factor", "nonresponse_factor", "size"):
        carried = carried * floats(weights.schools, name)
    took_part = np.asarray([one == "participant" for one in strings(weights.schools, "outcome")])
    return took_part[rows], carried[rows]


def _student_parts(people: Table, weights: FinalWeights | None) -> list[_Part]:
    """Form the comparisons of students: before and after adjustment."""
    if weights is None:
        raise DesignError(
            "Students are compared under their weights, but 'weights' is missing.",
            hint="Pass weights=final_weights(...).",
            param="weights",
        )
    refuse_duplicates(people, "student_id", param="students table")
    place = {one: row for row, one in enumerate(strings(people, "student_id", param="students table"))}
    ids = strings(weights.students, "student_id")
    absent = [one for one in ids if one not in place]
    if absent:
        raise DesignError(
            f"{len(absent)} eligible sampled students are not in the students table.",
            where=absent,
            hint="Pass the table from which the weights were made.",
            param="students",
        )
    schools = weights.schools
    school_of = {one: row for row, one in enumerate(strings(schools, "school_id"))}
    school = np.asarray([school_of[one] for one in strings(weights.students, "sampled_school_id")])
    before = floats(weights.students, "student_base_weight")
    for name in ("base_weight", "trimming_factor", "nonresponse_factor"):
        before = before * floats(schools, name)[school]
    responded = floats(weights.students, "is_respondent") > 0
    everyone = people[[place[one] for one in ids]]
    carried = {"respondents": before[responded], "after_adjustment": floats(weights.table, "final_weight")}
    return [
        _Part(
            stage="student",
            part=name,
            everyone=everyone,
            weight=before,
            responded=responded,
            respondents=everyone.filter(responded),
            respondent_weight=weight,
            psu=school.astype(np.int64),
            stratum=_strata(schools, np.arange(schools.height))[school],
        )
        for name, weight in carried.items()
    ]


def _is_number(table: Table, name: str) -> bool:
    """Say whether a characteristic is compared by its mean."""
    return bool(table.get_column(name).dtype.is_numeric())


def _compare(part: _Part, name: str) -> list[dict[str, Any]]:
    """Compare one characteristic: its mean, or the share of each level."""
    if not part.responded.any():
        raise DesignError(
            f"No {part.stage} responded ({part.part}), so there is nothing to compare.", param="schools"
        )
    if _is_number(part.everyone, name):
        values = floats(part.everyone, name, param="frame")
        return [_row(part, name, None, values, floats(part.respondents, name, param="frame"))]
    texts = np.asarray(strings(part.everyone, name, param="frame"))
    reached = np.asarray(strings(part.respondents, name, param="frame"))
    levels = sorted({*texts.tolist(), *reached.tolist()})
    return [
        _row(part, name, level, (texts == level).astype(float), (reached == level).astype(float))
        for level in levels
    ]


def _row(
    part: _Part, name: str, level: str | None, values: NDArray[np.float64], reached: NDArray[np.float64]
) -> dict[str, Any]:
    """Compute the measures of one mean or share."""
    whole = float(part.weight @ values / part.weight.sum())
    found = float(part.respondent_weight @ reached / part.respondent_weight.sum())
    others = ~part.responded
    rest = float(part.weight[others] @ values[others] / part.weight[others].sum()) if others.any() else None
    spread = float(np.sqrt(part.weight @ (values - whole) ** 2 / part.weight.sum()))
    bias = found - whole
    effect = bias / spread if spread > 0 else None
    size = 0.0 if effect is None else abs(effect)
    return {
        "stage": part.stage,
        "part": part.part,
        "characteristic": name,
        "level": level,
        "n_all": len(values),
        "n_respondents": len(reached),
        "all": whole,
        "respondents": found,
        "nonrespondents": rest,
        "bias": bias,
        "relative_bias": bias / whole if whole else None,
        "effect_size": effect,
        "flag": "act" if size >= LARGE_EFFECT else "small" if size >= SMALL_EFFECT else "none",
    }


def _groups(part: _Part, name: str) -> NDArray[np.int64]:
    """Number the levels of a characteristic; a number is cut at its weighted quartiles."""
    if not _is_number(part.everyone, name):
        texts = np.asarray(strings(part.everyone, name, param="frame"))
        return np.unique(texts, return_inverse=True)[1].astype(np.int64)
    values = floats(part.everyone, name, param="frame")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(part.weight[order]) / part.weight.sum()
    places = np.searchsorted(reached, np.arange(1, N_CLASSES) / N_CLASSES)
    cuts = np.unique(values[order][np.minimum(places, len(values) - 1)])
    return np.unique(np.searchsorted(cuts, values), return_inverse=True)[1].astype(np.int64)


def _test(part: _Part, name: str) -> dict[str, Any]:
    """Test whether response and characteristic are independent."""
    groups = _groups(part, name)
    row = {"stage": part.stage, "part": part.part, "characteristic": name}
    clusters = np.unique(np.column_stack([part.stratum, part.psu]), axis=0)
    cannot = (
        part.responded.all()
        or not part.responded.any()
        or groups.max() == 0
        or len(clusters) <= len(np.unique(part.stratum))
    )
    if cannot:
        return {**row, "chi_square": None, "df": None, "p_value": None, "f_p_value": None}
    answered = part.responded.astype(np.int64)
    found = rao_scott(answered, groups, part.weight, part.psu, part.stratum)
    return {
        **row,
        "chi_square": found.chi_square,
        "df": found.df,
        "p_value": found.p_value,
        "f_p_value": found.f_p_value,
    }


def _indicator(part: _Part, names: list[str]) -> dict[str, Any]:
    """Compute the R-indicator from a logistic model of all characteristics."""
    columns = [np.ones(len(part.weight))]
    for name in names:
        if _is_number(part.everyone, name):
            values = floats(part.everyone, name, param="frame")
            spread = values.std()
            columns += [(values - values.mean()) / spread] if spread > 0 else []
        else:
            groups = _groups(part, name)
            columns += [(groups == level).astype(float) for level in range(1, int(groups.max()) + 1)]
    rho = response_propensities(part.responded, np.column_stack(columns), part.weight)
    found = representativity(rho, part.weight)
    return {
        "stage": part.stage,
        "part": part.part,
        "r_indicator": found.r_indicator,
        "bias_bound": found.bias_bound,
        "mean_propensity": found.mean_propensity,
    }


def _as_table(rows: list[dict[str, Any]]) -> Table:
    """Write rows of one form as a table."""
    return make_table({name: [row[name] for row in rows] for name in (rows[0] if rows else {})})
