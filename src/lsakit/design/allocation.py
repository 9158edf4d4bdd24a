"""How many schools each stratum gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from lsakit.design.options import Method
from lsakit.errors import DesignError
from lsakit.io.frames import Table, make_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Hold an allocation of schools over strata.

    Parameters
    ----------
    table : polars.DataFrame
        One row per stratum: stratum, size, exact (schools before rounding and limits), n_before_limits
        (rounded, before the limits), n_schools.
    loss : float
        Kish's factor on the variance of the whole, ``n * sum(W_h**2 / n_h)`` with ``W_h`` the share of
        size; 1 where the allocation is proportional (dimensionless).
    method : str
        Name of the rule.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    loss: float
    method: str
    schema: str = "lsakit.allocation/1"

    @property
    def counts(self) -> dict[str, int]:
        """Schools by stratum, ready for ``Design.n_schools``."""
        return dict(
            zip(
                self.table.get_column("stratum").to_list(),
                self.table.get_column("n_schools").to_list(),
                strict=True,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationLimits:
    """State the smallest and largest number of schools of a stratum.

    Parameters
    ----------
    minimum : int or Mapping of str to int, default 0
        Smallest number, for all strata or by stratum; a stratum not named has 0.
    maximum : int or Mapping of str to int, optional
        Largest number, usually the schools in the frame; a stratum not named has none.
    total : {"kept", "raised"}, default "kept"
        ``"kept"``: what one stratum gains by a limit the others give. ``"raised"``: the reporting rule
        ``max(minimum, allocation)``, with which no stratum gives and the total grows.
    """

    minimum: int | Mapping[str, int] = 0
    maximum: int | Mapping[str, int] | None = None
    total: Literal["kept", "raised"] = "kept"

    def __post_init__(self) -> None:
        """Refuse a rule that is neither."""
        if self.total not in ("kept", "raised"):
            raise DesignError(
                f"The 'total' of allocation limits must be 'kept' or 'raised'. Got {self.total!r}.",
                param="total",
                got=self.total,
            )

    def of(self, stratum: str, n_schools: int) -> tuple[int, int]:
        """Give the two limits of one stratum."""
        low = self.minimum.get(stratum, 0) if isinstance(self.minimum, Mapping) else self.minimum
        if isinstance(self.maximum, Mapping):
            return low, self.maximum.get(stratum, n_schools)
        return low, n_schools if self.maximum is None else self.maximum


def allocate_schools(
    sizes: Mapping[str, float],
    n_schools: int,
    *,
    method: Method = "proportional",
    deviations: Mapping[str, float] | None = None,
    power: float = 0.5,
    limits: AllocationLimits | None = None,
) -> Allocation:
    """Spread a number of schools over strata.

    Parameters
    ----------
    sizes : Mapping of str to float
        Size of each stratum in its order, such as students of the grade.
    n_schools : int
        Schools to spread.
    method : {"proportional", "equal", "neyman", "power"}, default "proportional"
        Shares by size; all alike; by size times standard deviation; by size to a power.
    deviations : Mapping of str to float, optional
        Standard deviation of the statistic in each stratum, for ``"neyman"``; any unit.
    power : float, default 0.5
        Exponent for ``"power"``; 0 is equal, 1 proportional.
    limits : AllocationLimits, optional
        Smallest and largest number per stratum.

    Returns
    -------
    Allocation
        Whole numbers that add up to ``n_schools``, or to more where the limits raise the total.

    Raises
    ------
    DesignError
        If sizes or deviations are not positive, or the limits cannot hold.

    Notes
    -----
    Rounded by the largest remainder, ties to the stratum that stands first, in exact fractions. Strata
    outside their limits are then set to the limit, on the side with the larger total violation first,
    and the rest is spread again over the others by the same shares.

    References
    ----------
    .. [1] Cochran (1977), Sampling Techniques, 3rd ed., sections 5.5-5.9.
    .. [2] Bankier (1988), Power allocations, The American Statistician 42(3).

    Examples
    --------
    >>> allocate_schools({"North": 180, "South": 330}, 20).counts
    {'North': 7, 'South': 13}
    """
    strata = list(sizes)
    shares = _shares(sizes, method, deviations, power)
    if n_schools < 1:
        raise DesignError(f"The 'n_schools' parameter must be 1 or more. Got {n_schools}.", param="n_schools")
    limits = limits or AllocationLimits()
    bounds = [limits.of(stratum, n_schools) for stratum in strata]
    before = _largest_remainder(shares, n_schools)
    if limits.total == "raised":
        _refuse_crossed(strata, bounds)
        counts = [
            min(max(count, low), max(high, low)) for count, (low, high) in zip(before, bounds, strict=True)
        ]
    else:
        _refuse_limits(strata, bounds, n_schools)
        counts = _within_limits(shares, n_schools, bounds)
    total = sum(shares)
    exact = [float(share * n_schools / total) for share in shares]
    table = make_table(
        {
            "stratum": strata,
            "size": [float(sizes[stratum]) for stratum in strata],
            "exact": exact,
            "n_before_limits": before,
            "n_schools": counts,
        }
    )
    return Allocation(table=table, loss=_loss(list(sizes.values()), counts), method=method)


def _shares(
    sizes: Mapping[str, float], method: Method, deviations: Mapping[str, float] | None, power: float
) -> list[Fraction]:
    """Give each stratum its exact, unnormalised share."""
    _refuse_not_positive(sizes, "sizes")
    if method == "equal":
        return [Fraction(1)] * len(sizes)
    if method == "proportional":
        return [Fraction(size) for size in map(float, sizes.values())]
    if method == "power":
        return [Fraction(float(size) ** power) for size in sizes.values()]
    if method == "neyman" and deviations is not None:
        absent = [stratum for stratum in sizes if stratum not in deviations]
        _refuse_not_positive(
            {stratum: deviations.get(stratum, 0.0) for stratum in sizes}, "deviations", absent
        )
        return [Fraction(float(size)) * Fraction(float(deviations[key])) for key, size in sizes.items()]
    raise DesignError(
        f"The 'method' parameter must be 'proportional', 'equal', 'power', or 'neyman' with 'deviations'. "
        f"Got {method!r}.",
        param="method",
        got=method,
    )


def _refuse_not_positive(values: Mapping[str, float], param: str, absent: Sequence[str] = ()) -> None:
    """Refuse a stratum whose size or deviation is not a positive number."""
    bad = list(absent) or [key for key, value in values.items() if not 0 < value < float("inf")]
    if bad or not values:
        raise DesignError(
            f"The '{param}' parameter must give a positive number for every stratum. "
            f"It does not for {len(bad)} of {len(values)}.",
            where=bad,
            hint="Correct the number, or leave the stratum out.",
            param=param,
        )


def _refuse_crossed(strata: Sequence[str], bounds: Sequence[tuple[int, int]]) -> None:
    """Refuse a stratum that must give more schools than it holds."""
    crossed = [
        f"{stratum} ({low} of {high})"
        for stratum, (low, high) in zip(strata, bounds, strict=True)
        if low > high
    ]
    if crossed:
        raise DesignError(
            f"{len(crossed)} strata hold fewer schools than the smallest number asked of them.",
            where=crossed,
            why="A result for them would not have the precision that the reporting rule promises.",
            hint="Take all their schools by a minimum of their own, or merge them for reporting.",
            param="limits",
        )


def _refuse_limits(strata: Sequence[str], bounds: Sequence[tuple[int, int]], n_schools: int) -> None:
    """Refuse limits that no allocation can meet."""
    crossed = [stratum for stratum, (low, high) in zip(strata, bounds, strict=True) if low > high]
    lowest, highest = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    if crossed or not lowest <= n_schools <= highest:
        raise DesignError(
            f"No allocation of {n_schools} schools keeps the limits: the {len(strata)} strata need at least "
            f"{lowest} and hold at most {highest}.",
            where=crossed,
            hint="Change 'n_schools', or merge small strata.",
            param="limits",
        )


def _largest_remainder(shares: Sequence[Fraction], n_schools: int) -> list[int]:
    """Round exact shares to whole numbers with the right sum; ties go to the first."""
    total = sum(shares)
    exact = [share * n_schools / total for share in shares]
    counts = [value.numerator // value.denominator for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda row: (counts[row] - exact[row], row))
    for row in by_remainder[: n_schools - sum(counts)]:
        counts[row] += 1
    return counts


def _within_limits(
    shares: Sequence[Fraction], n_schools: int, bounds: Sequence[tuple[int, int]]
) -> list[int]:
    """Round, set strata beyond a limit to it, and spread the rest again until none is beyond."""
    fixed: dict[int, int] = {}
    while True:
        free = [row for row in range(len(shares)) if row not in fixed]
        left = n_schools - sum(fixed.values())
        if not free:
            return [fixed[row] for row in range(len(shares))]
        rounded = _largest_remainder([shares[row] for row in free], left)
        counts = dict(zip(free, rounded, strict=True))
        low = {row: bounds[row][0] for row in free if counts[row] < bounds[row][0]}
        high = {row: bounds[row][1] for row in free if counts[row] > bounds[row][1]}
        if not low and not high:
            return [{**fixed, **counts}[row] for row in range(len(shares))]
        lacking = sum(limit - counts[row] for row, limit in low.items())
        beyond = sum(counts[row] - limit for row, limit in high.items())
        if lacking == beyond:
            fixed.update({**low, **high})
        else:
            fixed.update(low if lacking > beyond else high)


def _loss(sizes: Sequence[float], counts: Sequence[int]) -> float:
    """Kish's variance factor of an allocation; infinite where a stratum gets no school."""
    if min(counts) == 0:
        return float("inf")
    total, n_schools = sum(sizes), sum(counts)
    return n_schools * sum((size / total) ** 2 / count for size, count in zip(sizes, counts, strict=True))
