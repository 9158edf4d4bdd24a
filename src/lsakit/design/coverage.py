"""Exclusions at school and within school, and the coverage indices CI1 to CI5 with their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.io.frames import Table, as_table, floats, make_table, strings

SCHOOL_EXCLUSIONS = {
    "remote": "cannot be reached, very small, or the test is not feasible there",
    "special": "serves students with special educational needs only",
    "other": "another reason agreed nationally",
}
WITHIN_SCHOOL_EXCLUSIONS = {
    30: "functional disability",
    31: "cognitive, behavioral or emotional disability",
    32: "insufficient experience of the test language",
    33: "another reason agreed nationally",
    34: "no materials in the language of instruction",
}
INELIGIBLE = (40, 41, 42, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageLimits:
    """State the limits of exclusions and of the coverage indices.

    Parameters
    ----------
    overall : float, default 0.05
        Largest share of the desired population that may be excluded.
    within_school : float, default 0.025
        Largest share excluded within schools.
    by_reason : Mapping of str to float
        Largest share of the desired population excluded at school, by reason; PISA's by default.
    low, high : float, default 0.9 and 1.1
        Range of CI4 and CI5.
    fall : float, default 0.02
        Fall of CI3 since the last cycle above which a trend is doubtful.
    severe : float, default 0.1
        Overall exclusion above which IEA studies annotate a second time.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapters 4 and 11; Martin, von Davier and Mullis (2020),
       Methods and Procedures: TIMSS 2019 Technical Report, chapter 9.
    """

    overall: float = 0.05
    within_school: float = 0.025
    by_reason: Mapping[str, float] = field(default_factory=lambda: {"remote": 0.005, "special": 0.02})
    low: float = 0.9
    high: float = 1.1
    fall: float = 0.02
    severe: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationCounts:
    """Hold the numbers of students that coverage is computed from.

    Parameters
    ----------
    enrolled : float
        Students of the desired population, ``a``.
    school_excluded : float
        Of these, in schools excluded from the frame, ``b``.
    participants : float
        Weighted participating students, ``P``.
    within_excluded : float
        Weighted students excluded within sampled schools, ``E``.
    eligible_grades : float, optional
        All enrolled students of the age in eligible grades, ``B2``; needed for CI2.
    age_cohort : float, optional
        The whole age cohort, enrolled or not, ``A2``; needed for CI3.
    sample_enrolment : float, optional
        Sum over sampled schools of base weight times frame enrolment, ``S``; needed for CI4 and CI5.
    """

    enrolled: float
    school_excluded: float
    participants: float
    within_excluded: float
    eligible_grades: float | None = None
    age_cohort: float | None = None
    sample_enrolment: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageIndices:
    """Hold coverage indices, exclusion rates and what they call for.

    Parameters
    ----------
    ci1, ci2, ci3, ci4, ci5 : float or None
        PISA's coverage indices (dimensionless); None where a number they need was not given.
    overall_exclusion : float
        ``1 - ci1``.
    school_exclusion : float
        Share excluded at school level, ``b / a``.
    within_school_exclusion : float
        ``E / (P + E)``.
    flags : tuple of str
        One sentence for each limit that does not hold.
    annotation : int
        0, 1 or 2 as IEA studies annotate a country (within 5 %, above 5 %, above 10 % excluded).
    schema : str
        Name and version of this result's form.
    """

    ci1: float
    ci2: float | None
    ci3: float | None
    ci4: float | None
    ci5: float | None
    overall_exclusion: float
    school_exclusion: float
    within_school_exclusion: float
    flags: tuple[str, ...]
    annotation: int
    schema: str = "lsakit.coverage_indices/1"

    @property
    def table(self) -> Table:
        """One row per index: index, value (null where it could not be computed)."""
        names = ("ci1", "ci2", "ci3", "ci4", "ci5")
        more = ("overall_exclusion", "school_exclusion", "within_school_exclusion")
        values = [getattr(self, name) for name in (*names, *more)]
        return make_table({"index": [*names, *more], "value": values})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedSchools:
    """Hold a frame without its excluded schools, and what was excluded.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of the schools that stay.
    excluded : polars.DataFrame
        Rows of the schools that go.
    table : polars.DataFrame
        One row per reason: reason, n_schools, n_students, share (of all students), limit (null where none),
        is_within_limit.
    n_students : float
        Students of the whole frame, ``a``.
    n_excluded : float
        Students of excluded schools, ``b``.
    schema : str
        Name and version of this result's form.
    """

    frame: Table
    excluded: Table
    table: Table
    n_students: float
    n_excluded: float
    schema: str = "lsakit.excluded_schools/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinSchoolExclusions:
    """Hold the students excluded after the draw.

    Parameters
    ----------
    table : polars.DataFrame
        One row per code: code, reason, n, weighted (students), share (of participants and excluded).
    participants : float
        Weighted students who took part or should have, ``P``.
    excluded : float
        Weighted excluded students, ``E``.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    participants: float
    excluded: float
    schema: str = "lsakit.within_school_exclusions/1"


def coverage_indices(
    counts: PopulationCounts, *, limits: CoverageLimits | None = None, previous_ci3: float | None = None
) -> CoverageIndices:
    """Compute coverage indices CI1 to CI5 and say which limits do not hold.

    Parameters
    ----------
    counts : PopulationCounts
        Numbers of students.
    limits : CoverageLimits, optional
        Limits; PISA's by default.
    previous_ci3 : float, optional
        CI3 of the last cycle.

    Returns
    -------
    CoverageIndices
        Indices, rates and flags.

    Raises
    ------
    DesignError
        If a number is negative or missing, or a denominator is 0.

    References
    ----------
    .. [1] ``docs/algorithms/coverage.md``.

    Examples
    --------
    >>> found = coverage_indices(
    ...     PopulationCounts(enrolled=100, school_excluded=2, participants=92, within_excluded=2.3)
    ... )
    >>> round(found.ci1, 4), found.flags
    (0.9561, ())
    """
    limits = limits or CoverageLimits()
    _refuse_counts(counts)
    a, b, p, e = counts.enrolled, counts.school_excluded, counts.participants, counts.within_excluded
    kept, share, s = a - b, p / (p + e), counts.sample_enrolment
    ci1 = share * kept / a
    ci3 = None if counts.age_cohort is None else p / counts.age_cohort
    found = {
        "ci1": ci1,
        "ci2": None if counts.eligible_grades is None else share * kept / counts.eligible_grades,
        "ci3": ci3,
        "ci4": None if s is None else (p + e) / s,
        "ci5": None if s is None else s / kept,
    }
    overall, within = 1 - ci1, e / (p + e)
    flags = _exclusion_flags(overall, within, limits)
    for name in ("ci4", "ci5"):
        value = found[name]
        if value is not None and not limits.low <= value <= limits.high:
            flags.append(
                f"{name.upper()} is {value:.3f}, outside {limits.low:g} to {limits.high:g}: check the "
                "enrolment that the frame holds."
            )
    if previous_ci3 is not None and ci3 is not None and previous_ci3 - ci3 > limits.fall:
        flags.append(
            f"CI3 fell from {previous_ci3:.3f} to {ci3:.3f}, by more than {100 * limits.fall:g} points: "
            "read a trend with caution."
        )
    return CoverageIndices(
        **found,  # type: ignore[arg-type]
        overall_exclusion=overall,
        school_exclusion=b / a,
        within_school_exclusion=within,
        flags=tuple(flags),
        annotation=int(overall > limits.overall) + int(overall > limits.severe),
    )


def _refuse_counts(counts: PopulationCounts) -> None:
    """Refuse numbers that no population has."""
    values = {name: getattr(counts, name) for name in PopulationCounts.__dataclass_fields__}
    bad = [name for name, value in values.items() if value is not None and not 0 <= value < float("inf")]
    for name in ("enrolled", "eligible_grades", "age_cohort", "sample_enrolment"):
        if values[name] is not None and not values[name] > 0 and name not in bad:
            bad.append(name)
    if not bad and not counts.participants + counts.within_excluded > 0:
        bad.append("participants")
    if not bad and not counts.school_excluded < counts.enrolled:
        bad.append("school_excluded")
    if bad:
        raise DesignError(
            f"The number of students {bad[0]!r} cannot be {values[bad[0]]!r}.",
            where=bad,
            why="Coverage is a quotient of numbers of students: none is negative, and no denominator is 0.",
            hint="Take the numbers from the register, the frame and the weights.",
            param=bad[0],
            got=values[bad[0]],
        )


def _exclusion_flags(overall: float, within: float, limits: CoverageLimits) -> list[str]:
    """Say which exclusion rates are too high."""
    flags = []
    if overall > limits.overall:
        flags.append(
            f"{100 * overall:.2f} % of the desired population are excluded, more than "
            f"{100 * limits.overall:g} %: the results must be annotated."
        )
    if within > limits.within_school:
        flags.append(
            f"{100 * within:.2f} % are excluded within schools, more than {100 * limits.within_school:g} %: "
            "check the exclusion codes school by school."
        )
    return flags


def exclude_schools(
    frame: Any,
    *,
    reason: str = "exclusion",
    size: str = "enrolment",
    limits: CoverageLimits | None = None,
) -> ExcludedSchools:
    """Take excluded schools out of a frame and count them by reason.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        One row per school of the desired population.
    reason : str, default "exclusion"
        Column with the reason: ``"remote"``, ``"special"``, ``"other"``; missing or empty for a school
        that stays.
    size : str, default "enrolment"
        Column with the students of the target population.
    limits : CoverageLimits, optional
        Limits; PISA's by default.

    Returns
    -------
    ExcludedSchools
        The frame to draw from, and the count by reason.

    Raises
    ------
    DesignError
        If a reason is not known, a size is negative, or nothing would be left.
    TableError
        If a column is absent, or a size missing.

    References
    ----------
    .. [1] ``docs/algorithms/coverage.md``.
    """
    limits = limits or CoverageLimits()
    table = as_table(frame, param="frame")
    why = np.asarray(strings(table, reason, param="frame", nulls=True), dtype=object)
    students = floats(table, size, param="frame")
    ids = np.asarray(strings(table, "school_id", param="frame"), dtype=object)
    _refuse_named(
        np.asarray([one not in ("", *SCHOOL_EXCLUSIONS) for one in why], dtype=bool), ids, reason, why
    )
    _refuse_named(~(students >= 0), ids, size, students)
    gone = why != ""
    total = float(students.sum())
    if gone.all() or not total > 0:
        raise DesignError(
            f"The exclusions leave {int((~gone).sum())} of {len(gone)} schools and {total:g} students.",
            hint="Check the column of reasons.",
            param=reason,
        )
    rows: dict[str, list[Any]] = {
        name: [] for name in ("reason", "n_schools", "n_students", "share", "limit", "is_within_limit")
    }
    for one in SCHOOL_EXCLUSIONS:
        mine = why == one
        share, limit = float(students[mine].sum()) / total, limits.by_reason.get(one)
        values = (
            one,
            int(mine.sum()),
            float(students[mine].sum()),
            share,
            limit,
            limit is None or share <= limit,
        )
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)
    return ExcludedSchools(
        frame=table.filter(~gone),
        excluded=table.filter(gone),
        table=make_table(rows),
        n_students=total,
        n_excluded=float(students[gone].sum()),
    )


def _refuse_named(bad: NDArray[np.bool_], ids: NDArray[np.object_], column: str, values: Any) -> None:
    """Refuse values of a frame column, naming the schools."""
    rows = np.flatnonzero(bad)
    if len(rows):
        raise DesignError(
            f"The column {column!r} of the frame holds {values[rows[0]]!r} in {len(rows)} schools.",
            where=ids[rows].tolist(),
            hint=f"A reason is one of {', '.join(SCHOOL_EXCLUSIONS)} or empty; a size is 0 or more.",
            param=column,
            got=values[rows[0]],
        )


def within_school_exclusions(
    students: Any, *, weight: str = "final_weight", status: str = "status"
) -> WithinSchoolExclusions:
    """Count the students excluded after the draw, weighted, by reason.

    Parameters
    ----------
    students : polars.DataFrame or pandas.DataFrame or Mapping
        One row per sampled student with status code and weight.
    weight : str, default "final_weight"
        Column of weights; for excluded students the weight that they would have had.
    status : str, default "status"
        Column of canonical student codes; 30 to 34 are exclusions, 40 to 50 no longer belong to the
        population and are left out.

    Returns
    -------
    WithinSchoolExclusions
        ``P``, ``E`` and the count by code.

    Raises
    ------
    DesignError
        If a weight is negative.
    TableError
        If a column is absent or has missing values.

    References
    ----------
    .. [1] ``docs/algorithms/coverage.md``.
    """
    table = as_table(students, param="students")
    codes = floats(table, status, param="students").astype(np.int64)
    weights = floats(table, weight, param="students")
    bad = np.flatnonzero(~(weights >= 0))
    if len(bad):
        raise DesignError(
            f"The column {weight!r} of the students must be 0 or more. Got {weights[bad[0]]:g}.",
            where=[f"row {row + 1}" for row in bad.tolist()],
            hint="Pass the weights before or after non-response adjustment, as the documentation says.",
            param=weight,
        )
    is_excluded = np.isin(codes, list(WITHIN_SCHOOL_EXCLUSIONS))
    counted = ~np.isin(codes, INELIGIBLE) & ~is_excluded
    total = float(weights[is_excluded | counted].sum())
    sums = {code: float(weights[codes == code].sum()) for code in WITHIN_SCHOOL_EXCLUSIONS}
    return WithinSchoolExclusions(
        table=make_table(
            {
                "code": list(WITHIN_SCHOOL_EXCLUSIONS),
                "reason": list(WITHIN_SCHOOL_EXCLUSIONS.values()),
                "n": [int((codes == code).sum()) for code in WITHIN_SCHOOL_EXCLUSIONS],
                "weighted": list(sums.values()),
                "share": [value / total if total else 0.0 for value in sums.values()],
            }
        ),
        participants=float(weights[counted].sum()),
        excluded=float(weights[is_excluded].sum()),
    )
