"""Small schools: measures of size that keep them from flooding the sample, and how many of each are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import DesignError
from lsakit.io.frames import Table, as_table, floats, make_table, with_columns

SmallSchools = Literal["floor", "equal", "undersample"]
CLASSES = ("large", "moderately_small", "very_small_2", "very_small_1")
TINY = 2  # students; PISA's "very small 1" are schools with 0, 1 or 2
VERY_SMALL_LIMIT, MODERATELY_SMALL_LIMIT = 0.01, 0.04  # shares of enrolment that call for strata of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallSchoolPlan:
    """Hold how many schools of each size class a sample takes.

    Parameters
    ----------
    table : polars.DataFrame
        One row per size class that has schools: size_class, n_frame, share (of enrolment), mean_size (in
        students), measure_of_size (null for large schools, which keep their own), exact, n_schools.
    inflation : float
        ``L``, by which all classes grow because the smallest schools are undersampled (dimensionless).
    needs_strata : bool
        Whether very small schools hold 1 % of enrolment or more, or moderately small ones 4 % or more.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    inflation: float
    needs_strata: bool
    schema: str = "lsakit.small_school_plan/1"

    @property
    def counts(self) -> dict[str, int]:
        """Schools by size class."""
        columns = (self.table.get_column(name).to_list() for name in ("size_class", "n_schools"))
        return dict(zip(*columns, strict=True))


def size_classes(sizes: ArrayLike, n_students: int) -> NDArray[np.object_]:
    """Put schools into PISA's four classes of size.

    Parameters
    ----------
    sizes : ndarray of shape (n_schools,)
        Enrolment, in students.
    n_students : int
        Target cluster size.

    Returns
    -------
    ndarray of shape (n_schools,)
        ``"large"`` (the target or more), ``"moderately_small"`` (half or more), ``"very_small_2"`` (fewer),
        ``"very_small_1"`` (0, 1 or 2 students).

    Examples
    --------
    >>> size_classes([35, 17.5, 17, 2], 35).tolist()
    ['large', 'moderately_small', 'very_small_2', 'very_small_1']
    """
    size = np.asarray(sizes, dtype=np.float64)
    found = np.select(
        [size >= n_students, size <= TINY, size < n_students / 2],
        ["large", "very_small_1", "very_small_2"],
        default="moderately_small",
    )
    return found.astype(object)


def undersampled_sizes(sizes: ArrayLike, n_students: int) -> NDArray[np.float64]:
    """Give PISA's measures of size: the target for smaller schools, a half and a quarter for the smallest.

    Parameters
    ----------
    sizes : ndarray of shape (n_schools,)
        Enrolment, in students.
    n_students : int
        Target cluster size.

    Returns
    -------
    ndarray of shape (n_schools,)
        Measure of size, in students.

    Examples
    --------
    >>> undersampled_sizes([40, 20, 10, 1], 36).tolist()
    [40.0, 36.0, 18.0, 9.0]
    """
    size = np.asarray(sizes, dtype=np.float64)
    kind = size_classes(size, n_students)
    factor = np.select([kind == "very_small_2", kind == "very_small_1"], [0.5, 0.25], default=1.0)
    return np.where(kind == "large", size, n_students * factor)


def equal_small_sizes(sizes: ArrayLike, limit: float, strata: ArrayLike) -> NDArray[np.float64]:
    """Give small schools of a stratum one size, their average, as IEA studies do: equal probabilities.

    Parameters
    ----------
    sizes : ndarray of shape (n_schools,)
        Enrolment, in students.
    limit : float
        A school with fewer students is small.
    strata : ndarray of shape (n_schools,)
        Number of each school's explicit stratum, from 0.

    Returns
    -------
    ndarray of shape (n_schools,)
        Measure of size, in students.

    Examples
    --------
    >>> equal_small_sizes([100, 10, 20], 30, [0, 0, 0]).tolist()
    [100.0, 15.0, 15.0]
    """
    size, codes = np.asarray(sizes, dtype=np.float64), np.asarray(strata, dtype=np.int64)
    small = size < limit
    n_strata = int(codes.max(initial=-1)) + 1
    total = np.bincount(codes[small], weights=size[small], minlength=n_strata)
    count = np.bincount(codes[small], minlength=n_strata)
    mean = total / np.maximum(count, 1)
    return np.where(small, mean[codes], size)


def plan_small_schools(sizes: ArrayLike, *, n_schools: int = 150, n_students: int) -> SmallSchoolPlan:
    """Say how many large and small schools give the wanted number of students, by PISA's rule.

    Parameters
    ----------
    sizes : ndarray of shape (n_schools_in_frame,)
        Enrolment of every school of the frame, in students.
    n_schools : int, default 150
        Schools of full size whose students the sample is to hold.
    n_students : int
        Target cluster size.

    Returns
    -------
    SmallSchoolPlan
        Schools by class of size.

    Raises
    ------
    DesignError
        If there is no school, a size is negative, or a class has fewer schools than it should give.

    References
    ----------
    .. [1] OECD (2020), PISA 2018 Technical Report, chapter 4.
    .. [2] ``docs/algorithms/small_schools.md``.
    """
    size = np.asarray(sizes, dtype=np.float64)
    if not len(size) or not (np.isfinite(size) & (size >= 0)).all() or not size.sum() > 0:
        raise DesignError(
            "The 'sizes' of schools must be numbers of 0 or more, one at least above 0.",
            hint="Correct the enrolment of the frame first.",
            param="sizes",
        )
    kind = size_classes(size, n_students)
    held = {one: int((kind == one).sum()) for one in CLASSES}
    shares = {one: Fraction(float(size[kind == one].sum())) / Fraction(float(size.sum())) for one in CLASSES}
    means = {
        one: Fraction(float(size[kind == one].sum())) / held[one] if held[one] else None for one in CLASSES
    }
    plan = small_school_counts(shares, means, n_schools=n_schools, n_students=n_students, n_frame=held)
    short = {one: count for one, count in plan.counts.items() if count > held[one]}
    if short:
        first = next(iter(short))
        raise DesignError(
            f"The rule asks for {short[first]} schools of class {first!r}. The frame has {held[first]}.",
            where=[f"{one} ({count} of {held[one]})" for one, count in short.items()],
            hint="Take all schools of that class, or ask for fewer schools in all.",
            param="n_schools",
            got=n_schools,
        )
    return plan


def small_school_counts(
    shares: Mapping[str, float | Fraction],
    means: Mapping[str, float | Fraction | None],
    *,
    n_schools: int = 150,
    n_students: int,
    n_frame: Mapping[str, int] | None = None,
) -> SmallSchoolPlan:
    """Compute PISA's numbers of schools from shares of enrolment and mean sizes.

    Parameters
    ----------
    shares : Mapping of str to float
        Share of enrolment of each class of size; they add up to 1.
    means : Mapping of str to float
        Mean enrolment of a school of each class but the large, in students; may be absent where the share
        is 0.
    n_schools : int, default 150
        Schools of full size whose students the sample is to hold.
    n_students : int
        Target cluster size.
    n_frame : Mapping of str to int, optional
        Schools of each class in the frame, for the table.

    Returns
    -------
    SmallSchoolPlan
        Schools by class, each rounded up.

    Raises
    ------
    DesignError
        If shares do not add up to 1, or a mean is missing or not positive.

    Notes
    -----
    With shares ``P1`` (very small 1), ``P2`` (very small 2), ``Q`` and ``R``, ``L = 1 + 3 P1 / 4 + P2 / 2``;
    large ``n R L``, moderately small ``n m Q L / mean``, very small 2 ``n (m / 2) P2 L / mean``, very small 1
    ``n (m / 4) P1 L / mean``.

    Examples
    --------
    >>> shares = {"large": 0.8, "moderately_small": 0.1, "very_small_2": 0.05, "very_small_1": 0.05}
    >>> means = {"moderately_small": 25, "very_small_2": 12, "very_small_1": 1.5}
    >>> small_school_counts(shares, means, n_students=35).counts
    {'large': 128, 'moderately_small': 23, 'very_small_2': 12, 'very_small_1': 47}
    """
    share = {one: _fraction(shares.get(one, 0)) for one in CLASSES}
    if any(value < 0 for value in share.values()) or abs(float(sum(share.values())) - 1) > 1e-9:
        raise DesignError(
            f"The 'shares' of the size classes must be 0 or more and add up to 1. They add up to "
            f"{float(sum(share.values())):g}.",
            param="shares",
        )
    inflation = 1 + share["very_small_1"] * 3 / 4 + share["very_small_2"] / 2
    factor = {"moderately_small": Fraction(1), "very_small_2": Fraction(1, 2), "very_small_1": Fraction(1, 4)}
    rows: dict[str, list[Any]] = {
        name: [] for name in ("size_class", "n_frame", "share", "mean_size", "measure_of_size", "exact")
    }
    counts = []
    for one in CLASSES:
        if not share[one] and not (n_frame or {}).get(one):
            continue
        exact = n_schools * share[one] * inflation
        mean = means.get(one)
        if one != "large":
            exact *= n_students * factor[one] / _mean(one, mean, share[one])
        rows["size_class"].append(one)
        rows["n_frame"].append((n_frame or {}).get(one))
        rows["share"].append(float(share[one]))
        rows["mean_size"].append(None if mean is None else float(mean))
        rows["measure_of_size"].append(None if one == "large" else float(n_students * factor[one]))
        rows["exact"].append(float(exact))
        counts.append(-(-exact.numerator // exact.denominator))
    small = share["very_small_1"] + share["very_small_2"]
    return SmallSchoolPlan(
        table=make_table({**rows, "n_schools": counts}),
        inflation=float(inflation),
        needs_strata=bool(
            small >= _fraction(VERY_SMALL_LIMIT)
            or share["moderately_small"] >= _fraction(MODERATELY_SMALL_LIMIT)
        ),
    )


def _fraction(value: float | Fraction) -> Fraction:
    """Read a number as the decimal a person wrote, so that 0.05 is five hundredths when rounding up."""
    return value if isinstance(value, Fraction) else Fraction(repr(float(value)))


def _mean(name: str, mean: float | Fraction | None, share: Fraction) -> Fraction:
    """Mean size of a class, refused when it is needed and missing."""
    if mean is not None and mean > 0:
        return _fraction(mean)
    if not share:
        return Fraction(1)
    raise DesignError(
        f"The 'means' parameter must give a positive mean size for the class {name!r}. Got {mean!r}.",
        param="means",
        got=mean,
    )


def with_size_classes(frame: Any, *, measure_of_size: str = "enrolment", n_students: int) -> Table:
    """Add the column ``size_class``, ready to be an explicit stratum.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        One row per school.
    measure_of_size : str, default "enrolment"
        Column with the size of a school, in students.
    n_students : int
        Target cluster size.

    Returns
    -------
    polars.DataFrame
        The frame with ``size_class``; draw from it with ``small_schools="undersample"``.
    """
    table = as_table(frame, param="frame")
    size = floats(table, measure_of_size, param="frame")
    return with_columns(table, {"size_class": size_classes(size, n_students)})
