"""Checks of a school frame before a draw: what makes it wrong, what makes it doubtful."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.options import Design
from lsakit.design.pps import allocate_to_strata
from lsakit.design.strata import SEPARATOR, WHOLE_FRAME, label_of_key
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, floats, make_table, require_columns, strings

ROWS_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLimits:
    """State the limits of the frame checks.

    Parameters
    ----------
    largest_class, smallest_class : float
        Students per class outside of which a school is doubtful.
    largest_change : float
        Relative change of enrolment since the last frame above which a school is doubtful.
    total_warning, total_error : float
        Relative difference from official totals that is doubtful, and that is wrong.
    least_schools : int
        Fewest sampled schools of a stratum.
    """

    largest_class: float = 60.0
    smallest_class: float = 3.0
    largest_change: float = 0.5
    total_warning: float = 0.01
    total_error: float = 0.05
    least_schools: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideData:
    """Hold what the frame is compared with.

    Parameters
    ----------
    totals : Mapping of str to float, default empty
        Official number of students by value of ``totals_by``.
    totals_by : str, default "province_code"
        Frame column to which the totals belong.
    codes : Mapping of str to Sequence, default empty
        Allowed values of stratification columns.
    """

    totals: Mapping[str, float] = field(default_factory=dict)
    totals_by: str = "province_code"
    codes: Mapping[str, Sequence[object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFindings:
    """Hold the findings about a frame.

    Parameters
    ----------
    table : polars.DataFrame
        One row per finding: check (F1 …), severity ("error" or "warning"), n (rows concerned), sentence,
        rows (identifiers of the first five, separated by commas).
    n_schools : int
        Schools in the frame.
    checked : tuple of str
        Checks that were made; a check whose column the frame lacks is not among them.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    n_schools: int
    checked: tuple[str, ...]
    schema: str = "lsakit.frame_findings/1"

    @property
    def has_errors(self) -> bool:
        """Whether a draw from this frame would be wrong."""
        return "error" in self.table.get_column("severity").to_list()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """One finding before it is a row."""

    check: str
    severity: str
    n: int
    sentence: str
    rows: Sequence[object] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What every check reads."""

    table: Table
    design: Design
    limits: FrameLimits
    outside: OutsideData
    ids: list[str]

    def named(self, rows: NDArray[np.int64]) -> list[str]:
        """Identifiers of some rows."""
        return [self.ids[row] for row in rows.tolist()]

    def has(self, *names: str) -> bool:
        """Say whether the frame has these columns."""
        return all(name in self.table.columns for name in names)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A numeric column with NaN where missing."""
        return floats(self.table, name, param="frame", nulls=True)


def check_frame(
    frame: Any,
    *,
    design: Design,
    outside: OutsideData | None = None,
    limits: FrameLimits | None = None,
) -> FrameFindings:
    """Check a school frame before a draw.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        One row per school: school_id and the columns of the design; name, commune_code, classes,
        enrolment_previous, parent_school_id and total_enrolment are checked where they are there.
    design : Design
        The plan for which the frame is meant.
    outside : OutsideData, optional
        Official totals and code lists.
    limits : FrameLimits, optional
        Limits of the checks.

    Returns
    -------
    FrameFindings
        ``.table`` with one row per finding and ``.has_errors``.

    Raises
    ------
    TableError
        If the frame has no rows, or lacks school_id or a column of the design.

    References
    ----------
    .. [1] ``docs/algorithms/frame_checks.md``.

    Examples
    --------
    >>> frame = {"school_id": ["A", "A", "B"], "enrolment": [30, 30, 0]}
    >>> found = check_frame(frame, design=Design(n_schools=2, n_students=20))
    >>> found.has_errors, found.table.get_column("check").to_list()
    (True, ['F1', 'F3'])
    """
    table = as_table(frame, param="frame")
    names = ["school_id", design.measure_of_size, *design.explicit, *design.implicit]
    require_columns(table, names, param="frame")
    if not table.height:
        raise TableError("The frame has no rows.", hint="Pass one row per school.", param="frame")
    case = _Case(
        table=table,
        design=design,
        limits=limits or FrameLimits(),
        outside=outside or OutsideData(),
        ids=strings(table, "school_id", param="frame", nulls=True),
    )
    made = [(check, list(found)) for check, run in CHECKS if (found := run(case)) is not None]
    findings = [one for _, found in made for one in found]
    return FrameFindings(
        table=_findings_table(findings),
        n_schools=table.height,
        checked=tuple(dict.fromkeys(check for check, _ in made)),
    )


def _findings_table(findings: Sequence[_Finding]) -> Table:
    """Write findings as rows, with the right types even when there is none."""
    model = make_table({"check": [""], "severity": [""], "n": [0], "sentence": [""], "rows": [""]})
    rows = {
        "check": [one.check for one in findings],
        "severity": [one.severity for one in findings],
        "n": [one.n for one in findings],
        "sentence": [one.sentence for one in findings],
        "rows": [", ".join(str(row) for row in one.rows[:ROWS_NAMED]) for one in findings],
    }
    return make_table(rows) if findings else model.head(0)


def _identifiers(case: _Case) -> list[_Finding] | None:
    """F1: identifiers missing or twice; the same name twice in a commune."""
    found = []
    empty = np.flatnonzero([not one for one in case.ids])
    if len(empty):
        sentence = f"{len(empty)} schools have no school_id; give each its code from the register."
        found.append(_Finding(check="F1", severity="error", n=len(empty), sentence=sentence))
    twice = _repeated([one for one in case.ids if one])
    if twice:
        sentence = f"{len(twice)} school_id values stand more than once; keep one row for each school."
        found.append(_Finding(check="F1", severity="error", n=len(twice), sentence=sentence, rows=twice))
    if case.has("name", "commune_code"):
        names = strings(case.table, "name", nulls=True)
        where = strings(case.table, "commune_code", nulls=True)
        keys = list(zip(names, where, strict=True))
        again = set(_repeated([key for key in keys if key[0]]))
        rows = np.flatnonzero([key in again for key in keys])
        if len(rows):
            sentence = (
                f"{len(rows)} schools share their name with another of the same commune; "
                "check that they are different schools."
            )
            found.append(
                _Finding(
                    check="F1", severity="warning", n=len(rows), sentence=sentence, rows=case.named(rows)
                )
            )
    return found


def _repeated(values: Sequence[Any]) -> list[Any]:
    """Values that stand more than once, in order."""
    seen: set[Any] = set()
    again = {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value]
    return sorted(again)


def _sizes(case: _Case) -> list[_Finding] | None:
    """F2: size missing, negative or not whole."""
    size = case.numbers(case.design.measure_of_size)
    rows = np.flatnonzero(np.isnan(size) | (size < 0) | (size != np.floor(size)))
    name = case.design.measure_of_size
    sentence = (
        f"The column '{name}' is missing, negative or not a whole number in {len(rows)} of {len(size)} "
        "schools; correct it from the register."
    )
    return _when(rows, case, "F2", "error", sentence)


def _zero_sizes(case: _Case) -> list[_Finding] | None:
    """F3: size zero."""
    rows = np.flatnonzero(case.numbers(case.design.measure_of_size) == 0)
    refused = case.design.zero_size == "refuse"
    sentence = f"{len(rows)} schools have no student in '{case.design.measure_of_size}'; " + (
        "the draw refuses them: drop them, correct them, or set zero_size='floor' in the design."
        if refused
        else "they are drawn with the measure of size that the design gives small schools."
    )
    return _when(rows, case, "F3", "error" if refused else "warning", sentence)


def _strata(case: _Case) -> list[_Finding] | None:
    """F4: stratification columns missing or outside their code list."""
    found: list[_Finding] = []
    for name in (*case.design.explicit, *case.design.implicit):
        values = strings(case.table, name, param="frame", nulls=True)
        rows = np.flatnonzero(np.asarray(case.table.get_column(name).is_null().to_list()))
        sentence = f"The stratification column '{name}' has no value in {len(rows)} schools; fill it."
        found += _when(rows, case, "F4", "error", sentence)
        if name in case.outside.codes:
            allowed = {label_of_key(code) for code in case.outside.codes[name]}
            unknown = np.flatnonzero([bool(value) and value not in allowed for value in values])
            sentence = (
                f"The stratification column '{name}' holds values outside its code list in {len(unknown)} "
                f"schools (such as '{values[unknown[0]]}'); correct them."
                if len(unknown)
                else ""
            )
            found += _when(unknown, case, "F4", "error", sentence)
    return found


def _official_totals(case: _Case) -> list[_Finding] | None:
    """F5: sums that differ from official statistics."""
    if not case.outside.totals:
        return None
    size = np.nan_to_num(case.numbers(case.design.measure_of_size))
    where = strings(case.table, case.outside.totals_by, param="frame", nulls=True)
    sums: dict[str, float] = {}
    for key, value in zip(where, size.tolist(), strict=True):
        sums[key] = sums.get(key, 0.0) + value
    found: list[_Finding] = []
    for severity, low, high in (
        ("error", case.limits.total_error, float("inf")),
        ("warning", case.limits.total_warning, case.limits.total_error),
    ):
        differing = {
            key: (sums.get(key, 0.0) - total) / total
            for key, total in case.outside.totals.items()
            if total > 0 and low < abs(sums.get(key, 0.0) - total) / total <= high
        }
        if differing:
            worst = max(differing, key=lambda key: abs(differing[key]))
            sentence = (
                f"In {len(differing)} values of '{case.outside.totals_by}' the frame's total differs from the "
                f"official one by more than {low:.0%}; the largest is {differing[worst]:+.1%} in {worst}."
            )
            found.append(
                _Finding(
                    check="F5", severity=severity, n=len(differing), sentence=sentence, rows=sorted(differing)
                )
            )
    return found


def _classes(case: _Case) -> list[_Finding] | None:
    """F6: doubtful class size or change since the last frame."""
    if not (case.has("classes") or case.has("enrolment_previous")):
        return None
    size = case.numbers(case.design.measure_of_size)
    found: list[_Finding] = []
    if case.has("classes"):
        classes = case.numbers("classes")
        per_class = np.divide(size, classes, out=np.full(len(size), np.inf), where=classes > 0)
        high, low = case.limits.largest_class, case.limits.smallest_class
        rows = np.flatnonzero((size > 0) & ((per_class > high) | (per_class < low)))
        sentence = f"{len(rows)} schools have more than {high:g} or fewer than {low:g} students per class."
        found += _when(rows, case, "F6", "warning", sentence)
    if case.has("enrolment_previous"):
        before = case.numbers("enrolment_previous")
        change = np.divide(size - before, before, out=np.zeros(len(size)), where=before > 0)
        rows = np.flatnonzero(np.abs(change) > case.limits.largest_change)
        most = case.limits.largest_change
        sentence = f"In {len(rows)} schools enrolment changed by more than {most:.0%} since the last frame."
        found += _when(rows, case, "F6", "warning", sentence)
    return found


def _satellites(case: _Case) -> list[_Finding] | None:
    """F7: a satellite site listed beside the school that counts it."""
    if not case.has("parent_school_id"):
        return None
    parents = strings(case.table, "parent_school_id", param="frame", nulls=True)
    listed = set(case.ids)
    rows = np.flatnonzero(
        [bool(up) and up != one and up in listed for up, one in zip(parents, case.ids, strict=True)]
    )
    sentence = (
        f"{len(rows)} satellite sites are listed as schools beside the school to which they belong; "
        "their students would be counted twice."
    )
    return _when(rows, case, "F7", "error", sentence)


def _stratum_numbers(case: _Case) -> list[_Finding] | None:
    """F8: strata with too few schools, and a plan that does not fit the frame."""
    held, total = _by_stratum(case)
    try:
        wanted = _wanted(case.design, held, total)
    except DesignError as error:
        return [_Finding(check="F8", severity="error", n=1, sentence=error.sentence)]
    found = []
    unknown = sorted(set(wanted) - set(held)) + sorted(set(held) - set(wanted))
    if unknown:
        sentence = f"{len(unknown)} strata stand in the design or the frame alone; make the two agree."
        found.append(_Finding(check="F8", severity="error", n=len(unknown), sentence=sentence, rows=unknown))
    short = [label for label in held if wanted.get(label, 0) > held[label]]
    if short:
        sentence = f"{len(short)} strata have fewer schools in the frame than the design asks for."
        found.append(_Finding(check="F8", severity="error", n=len(short), sentence=sentence, rows=short))
    few = [label for label in held if label in wanted and wanted[label] < case.limits.least_schools]
    if few:
        sentence = (
            f"{len(few)} strata get fewer than {case.limits.least_schools} sampled schools, so no sampling "
            "variance can be estimated there; ask for more or merge strata."
        )
        found.append(_Finding(check="F8", severity="error", n=len(few), sentence=sentence, rows=few))
    return found


def _by_stratum(case: _Case) -> tuple[dict[str, int], dict[str, float]]:
    """Schools and students by explicit stratum; schools without a stratum are left to F4."""
    columns = [strings(case.table, name, param="frame", nulls=True) for name in case.design.explicit]
    labels = [SEPARATOR.join(one) for one in zip(*columns, strict=True)] if columns else None
    size = np.nan_to_num(case.numbers(case.design.measure_of_size)).tolist()
    held: dict[str, int] = {}
    total: dict[str, float] = {}
    for row, label in enumerate(labels or [WHOLE_FRAME] * len(size)):
        if all(column[row] for column in columns):
            held[label] = held.get(label, 0) + 1
            total[label] = total.get(label, 0.0) + max(size[row], 0.0)
    return held, total


def _wanted(design: Design, held: dict[str, int], total: dict[str, float]) -> dict[str, int]:
    """Schools asked by stratum."""
    if isinstance(design.n_schools, Mapping):
        return {label_of_key(key): int(count) for key, count in design.n_schools.items()}
    return allocate_to_strata(total, held, design)


def _totals_of_school(case: _Case) -> list[_Finding] | None:
    """F11: the grade larger than the school, or more classes than students."""
    if not (case.has("total_enrolment") or case.has("classes")):
        return None
    size = case.numbers(case.design.measure_of_size)
    found: list[_Finding] = []
    if case.has("total_enrolment"):
        rows = np.flatnonzero(size > case.numbers("total_enrolment"))
        sentence = f"In {len(rows)} schools the grade has more students than the whole school."
        found += _when(rows, case, "F11", "error", sentence)
    if case.has("classes"):
        rows = np.flatnonzero(case.numbers("classes") > size)
        sentence = f"In {len(rows)} schools there are more classes than students in the grade."
        found += _when(rows, case, "F11", "error", sentence)
    return found


def _when(rows: NDArray[np.int64], case: _Case, check: str, severity: str, sentence: str) -> list[_Finding]:
    """Make a finding when rows are concerned."""
    if not len(rows):
        return []
    named = case.named(rows)
    return [_Finding(check=check, severity=severity, n=len(rows), sentence=sentence, rows=named)]


CHECKS: tuple[tuple[str, Callable[[_Case], list[_Finding] | None]], ...] = (
    ("F1", _identifiers),
    ("F2", _sizes),
    ("F3", _zero_sizes),
    ("F4", _strata),
    ("F5", _official_totals),
    ("F6", _classes),
    ("F7", _satellites),
    ("F8", _stratum_numbers),
    ("F11", _totals_of_school),
)
