"""What a design will give before it is drawn: precision by stratum, for the nation and each domain, and cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.precision_formulas import detectable_difference
from lsakit.errors import DesignError
from lsakit.io.frames import Table, as_table, floats, make_table, strings

NATION = "nation"
SCALES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyCost:
    """State what a survey costs, in any one currency.

    Parameters
    ----------
    per_school : float
        Cost of one more school.
    per_student : float
        Cost of one more student in a school.
    fixed : float, default 0.0
        Cost that no size of sample changes.
    """

    per_school: float
    per_student: float
    fixed: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative costs."""
        for name in ("per_school", "per_student", "fixed"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise DesignError(
                    f"The cost '{name}' must be 0 or more. Got {value!r}.", param=name, got=value
                )

    def of(self, n_schools: float, n: float) -> float:
        """Give the cost of a number of schools and students."""
        return self.fixed + self.per_school * n_schools + self.per_student * n


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """State what a plan assumes besides the intraclass correlation and the spread of scores.

    Parameters
    ----------
    domains : Sequence of str, optional
        Frame columns by which results are reported; the explicit strata's columns by default.
    student_rate, school_rate : float, default 1.0
        Expected response rates, above 0 and at most 1.
    wanted_error : float, optional
        Wanted standard error of a mean, in points; adds the schools needed to reach it.
    link_error : float, default 0.0
        Standard error of the link to the other cycle, in points.
    power : float, default 0.8
        Chance with which a difference between cycles is to be found.
    finite_population : bool, default False
        Whether the variance between schools is reduced by the part of the schools that is drawn. Without,
        the errors are on the safe side and hold for trends as well.
    cost : SurveyCost, optional
        Costs.
    """

    domains: Sequence[str] | None = None
    student_rate: float = 1.0
    school_rate: float = 1.0
    wanted_error: float | None = None
    link_error: float = 0.0
    power: float = 0.8
    finite_population: bool = False
    cost: SurveyCost | None = None

    def __post_init__(self) -> None:
        """Refuse numbers outside their range."""
        for name in ("student_rate", "school_rate"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise DesignError(
                    f"The '{name}' must lie above 0 and not above 1. Got {value!r}.", param=name, got=value
                )
        if self.wanted_error is not None and not self.wanted_error > 0:
            raise DesignError(
                f"The 'wanted_error' must be above 0. Got {self.wanted_error!r}.",
                param="wanted_error",
                got=self.wanted_error,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionPlan:
    """Hold the precision that a design promises.

    Parameters
    ----------
    table : polars.DataFrame
        One row per explicit stratum: stratum, n (expected students), deff, n_eff, se (of the mean, in
        points), se_half (of a proportion of one half, in percentage points), mde (difference between two
        cycles like this one, in points), n_schools (expected), n_frame, mean_cluster, deff_weight (Kish's
        loss by unequal weights, a part of deff), n_schools_needed (for the wanted error; null without).
    domains : polars.DataFrame
        The same for the nation (first row) and each value of the reporting columns: domain, value, and the
        columns above but stratum.
    curve : polars.DataFrame
        Cost against precision for the nation: n_students (per school), n_schools, n, se, cost (null
        without costs), is_design.
    cost : float or None
        Cost of the design, in the currency given.
    design : Design
        The plan.
    options : PlanOptions
        What was assumed.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    domains: Table
    curve: Table
    cost: float | None
    design: Design
    options: PlanOptions
    schema: str = "lsakit.precision_plan/1"

    @property
    def nation(self) -> dict[str, Any]:
        """The nation's row of ``domains``."""
        return dict(self.domains.row(0, named=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Schools:
    """The frame's schools with their probabilities, in frame-table order; strata are numbered from 0."""

    stratum: NDArray[np.int64]
    size: NDArray[np.float64]
    probability: NDArray[np.float64]
    icc: NDArray[np.float64]
    sd: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """Expected numbers and variance of one cell of schools."""

    size: float
    n_schools: float
    n_frame: int
    n: float
    deff_weight: float
    deff: float
    variance: float
    sd: float


def plan_precision(
    design: Design,
    frame: Any,
    *,
    icc: float | Mapping[str, float],
    sd: float | Mapping[str, float],
    options: PlanOptions | None = None,
) -> PrecisionPlan:
    """Say how precise a design will be, for each stratum, the nation and each reporting domain.

    Parameters
    ----------
    design : Design
        The plan.
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        One row per school: school_id and the columns that ``design`` and ``options`` name.
    icc : float or Mapping of str to float
        Intraclass correlation, from 0 to 1, for all strata or by stratum.
    sd : float or Mapping of str to float
        Standard deviation of scores, in points, for all strata or by stratum.
    options : PlanOptions, optional
        Response rates, wanted error, costs and the rest.

    Returns
    -------
    PrecisionPlan
        ``.table`` by stratum, ``.domains``, ``.curve`` of cost against precision.

    Raises
    ------
    DesignError
        If an assumption lies outside its range, or the design does not fit the frame.
    TableError
        If a column is absent or has missing values.

    Notes
    -----
    Where every school has at least ``n_students`` and all weights of a stratum agree, ``deff`` is
    ``1 + (n_students - 1) icc``. Small schools give fewer students and weights that differ: both enter.

    References
    ----------
    .. [1] ``docs/algorithms/precision.md``.

    Examples
    --------
    >>> frame = {"school_id": [f"S{row}" for row in range(400)], "enrolment": [100] * 400}
    >>> plan = plan_precision(Design(n_schools=150, n_students=35), frame, icc=0.35, sd=100)
    >>> round(plan.nation["se"], 3)
    4.957
    """
    options = options or PlanOptions()
    table = as_table(frame, param="frame")
    plain = replace(design, overlap=None, replacement_gaps="show", n_replacements=0)
    drawn = draw_schools(table, plain, rng=0).frame  # probabilities do not depend on the random start
    strata, codes = _numbered(drawn.get_column("stratum").to_list())
    schools = _Schools(
        stratum=codes,
        size=floats(drawn, "size"),
        probability=floats(drawn, "probability"),
        icc=_by_stratum(icc, strata, "icc", low=0.0, high=1.0)[codes],
        sd=_by_stratum(sd, strata, "sd", low=math.ulp(0.0), high=math.inf)[codes],
    )
    cells = _cells(schools, schools.stratum, design.n_students, options)
    rows = [_row([cell], options) for cell in cells]
    curve = _curve(schools, design, options)
    columns = _domain_columns(table, drawn, design, options)
    domains = _domain_rows(schools, cells, columns, design.n_students, options)
    nation = domains[0]
    return PrecisionPlan(
        table=_table([{"stratum": one, **row} for one, row in zip(strata, rows, strict=True)]),
        domains=_table(domains),
        curve=curve,
        cost=None if options.cost is None else options.cost.of(nation["n_schools"], nation["n"]),
        design=design,
        options=options,
    )


def _numbered(values: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Number texts in the order of their first appearance."""
    number: dict[str, int] = {}
    codes = [number.setdefault(value, len(number)) for value in values]
    return list(number), np.asarray(codes, dtype=np.int64)


def _by_stratum(
    value: float | Mapping[str, float], strata: Sequence[str], param: str, *, low: float, high: float
) -> NDArray[np.float64]:
    """Give the assumption of each stratum, refusing what lies outside its range."""
    given = dict(value) if isinstance(value, Mapping) else dict.fromkeys(strata, value)
    absent = [one for one in strata if one not in given]
    bad = absent or [one for one in strata if not low <= given[one] <= high or math.isinf(given[one])]
    if bad:
        raise DesignError(
            f"The '{param}' must be {'from 0 to 1' if param == 'icc' else 'above 0'} in every stratum. "
            f"Got {given.get(bad[0])!r}.",
            where=bad,
            hint="Give one number for all strata, or one for each by its label.",
            param=param,
            got=given.get(bad[0]),
        )
    return np.asarray([given[one] for one in strata], dtype=np.float64)


def _domain_columns(table: Table, drawn: Table, design: Design, options: PlanOptions) -> dict[str, list[str]]:
    """Take the reporting columns of the frame in the order of the drawn frame."""
    names = list(design.explicit) if options.domains is None else list(options.domains)
    place = {one: row for row, one in enumerate(strings(table, "school_id", param="frame"))}
    rows = [place[one] for one in drawn.get_column("school_id").to_list()]
    out = {}
    for name in dict.fromkeys(names):
        values = strings(table, name, param="frame")
        out[name] = [values[row] for row in rows]
    return out


def _cells(schools: _Schools, codes: NDArray[np.int64], n_students: int, options: PlanOptions) -> list[_Cell]:
    """Work out cells numbered from 0: strata, or the parts of strata that lie in a domain."""
    size, p = schools.size, schools.probability
    drawn = np.minimum(size, n_students)
    answering = drawn * options.student_rate
    taking = p * options.school_rate
    some = drawn > 0
    stands_for = np.divide(size, p, out=np.zeros_like(size), where=some)  # students a drawn school stands for
    between = schools.icc * (1 - taking) if options.finite_population else schools.icc
    within = np.divide(1 - schools.icc, answering, out=np.zeros_like(size), where=some)
    weight = np.divide(stands_for, answering, out=np.zeros_like(size), where=some)

    def sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(codes, weights=values), dtype=np.float64)

    n, n_schools, students = sums(taking * answering), sums(taking), sums(size)
    if not (n > 0).all():
        raise DesignError(
            "A stratum or reporting domain has no student in the frame, so nothing can be planned for it.",
            hint="Leave schools of size 0 out of the plan.",
            param="frame",
        )
    relative = sums(taking * stands_for**2 * (between + within)) / sums(taking * stands_for) ** 2
    loss = n * sums(taking * answering * weight**2) / sums(taking * answering * weight) ** 2
    first = np.unique(codes, return_index=True)[1]
    held = np.bincount(codes)
    return [
        _Cell(
            size=float(students[cell]),
            n_schools=float(n_schools[cell]),
            n_frame=int(held[cell]),
            n=float(n[cell]),
            deff_weight=max(1.0, float(loss[cell])),
            deff=float(n[cell] * relative[cell]),
            variance=float(schools.sd[first[cell]] ** 2 * relative[cell]),
            sd=float(schools.sd[first[cell]]),
        )
        for cell in range(len(n))
    ]


def _row(cells: Sequence[_Cell], options: PlanOptions) -> dict[str, Any]:
    """Combine cells by their shares of students into one row."""
    total = sum(cell.size for cell in cells)
    shares = [cell.size / total for cell in cells]
    variance = math.fsum(share**2 * cell.variance for share, cell in zip(shares, cells, strict=True))
    spread = math.fsum(share * cell.sd**2 for share, cell in zip(shares, cells, strict=True))
    # Sums of probabilities carry rounding noise of 1e-12; nine decimals leave whole numbers whole.
    n, n_schools = (round(math.fsum(getattr(cell, name) for cell in cells), 9) for name in ("n", "n_schools"))
    error = math.sqrt(variance)
    single = len(cells) == 1
    n_eff = n / cells[0].deff if single else spread / variance
    needed = None
    if options.wanted_error is not None:
        needed = math.ceil(round(n_schools / options.school_rate * (error / options.wanted_error) ** 2, 9))
    return {
        "n": n,
        "deff": cells[0].deff if single else n / n_eff,
        "n_eff": n_eff,
        "se": error,
        "se_half": 50 / math.sqrt(n_eff),
        "mde": detectable_difference(error, error, link_error=options.link_error, power=options.power),
        "n_schools": n_schools,
        "n_frame": sum(cell.n_frame for cell in cells),
        "mean_cluster": n / n_schools,
        "deff_weight": cells[0].deff_weight if single else _overall_loss(cells, total),
        "n_schools_needed": needed,
    }


def _overall_loss(cells: Sequence[_Cell], total: float) -> float:
    """Kish's loss over several cells, ``n sum(W² L / n_c)``: unequal weights between and within them."""
    n = math.fsum(cell.n for cell in cells)
    return n * math.fsum((cell.size / total) ** 2 * cell.deff_weight / cell.n for cell in cells)


def _domain_rows(
    schools: _Schools,
    strata: Sequence[_Cell],
    columns: Mapping[str, Sequence[str]],
    n_students: int,
    options: PlanOptions,
) -> list[dict[str, Any]]:
    """Give the nation's row and one for each value of each reporting column."""
    rows = [{"domain": NATION, "value": "all", **_row(strata, options)}]
    for name, values in columns.items():
        names, of_school = _numbered(values)
        pairs, codes = np.unique(of_school * len(strata) + schools.stratum, return_inverse=True)
        cells = _cells(schools, codes.astype(np.int64), n_students, options)
        parts: dict[str, list[_Cell]] = {}
        for pair, cell in zip(pairs.tolist(), cells, strict=True):
            parts.setdefault(names[pair // len(strata)], []).append(cell)
        rows += [{"domain": name, "value": value, **_row(parts[value], options)} for value in sorted(parts)]
    return rows


def _curve(schools: _Schools, design: Design, options: PlanOptions) -> Table:
    """Follow the nation's error and the cost over numbers of schools, for three numbers of students."""
    m = design.n_students
    rows: dict[str, list[Any]] = {
        name: [] for name in ("n_students", "n_schools", "n", "se", "cost", "is_design")
    }
    for students in sorted({max(1, round(m / 2)), m, round(1.5 * m)}):
        cells = _cells(schools, schools.stratum, students, options)
        row = _row(cells, options)
        for scale in SCALES:
            n_schools, n = scale * row["n_schools"], scale * row["n"]
            if n_schools < len(cells) or n_schools > len(schools.size):
                continue
            values = (
                students,
                n_schools,
                n,
                row["se"] / math.sqrt(scale),
                None if options.cost is None else options.cost.of(n_schools, n),
                students == m and scale == 1.0,
            )
            for name, value in zip(rows, values, strict=True):
                rows[name].append(value)
    return make_table(rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Turn rows into a table."""
    return make_table({name: [row[name] for row in rows] for name in rows[0]})
