"""What a sampling plan says, before any school is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lsakit.design.overlap import Keyfitz, Overlap, PermanentNumbers
from lsakit.design.small_schools import SmallSchools
from lsakit.errors import DesignError

Certainty = Literal["recompute", "cap"]
ZeroSize = Literal["refuse", "floor"]
ReplacementGaps = Literal["show", "refuse"]
Method = Literal["proportional", "equal", "neyman", "power"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """State a two-stage sampling plan: schools with probability proportional to size, then students.

    Parameters
    ----------
    n_schools : int or Mapping
        Schools to draw. A mapping gives the number of each explicit stratum: the key is the value of the
        stratum variable, or a tuple of values in the order of ``explicit`` when there are several. A whole
        number is allocated over the strata by ``allocation``, at least two to each.
    n_students : int
        Students to draw in each school (the target cluster size); all where fewer are listed.
    explicit : Sequence of str, default ()
        Frame columns that form the explicit strata: one independent sample in each.
    implicit : Sequence of str, default ()
        Frame columns that sort the schools inside a stratum, serpentine, outermost first; the measure of
        size is always the last key.
    measure_of_size : str, default "enrolment"
        Frame column with the size of a school, in students of the target grade.
    certainty : {"recompute", "cap"}, default "recompute"
        What happens to a school as large as the sampling interval. ``"recompute"`` (IEA, NAEP) takes it
        with probability 1, removes it and computes the interval again, so that exactly ``n_schools`` are
        drawn. ``"cap"`` (PISA) sets its size to the interval, which is left as it is, so that on average
        ``sum(probability)``, fewer than ``n_schools``, are drawn.
    size_floor : float, optional
        Smallest measure of size, in students; a smaller school is drawn as if it had this many. The
        default is ``n_students``, as PISA does; 0 for no floor.
    zero_size : {"refuse", "floor"}, default "refuse"
        Whether a school of size 0 is refused or raised to the floor.
    n_replacements : {0, 1, 2}, default 2
        Replacement schools per sampled school.
    allocation : {"proportional", "equal", "power"}, default "proportional"
        How a whole number ``n_schools`` is spread over the strata (power: exponent one half).
    small_schools : {"floor", "equal", "undersample"}, default "floor"
        Measure of size of schools with fewer students than the floor: the floor itself; the average of the
        stratum's small schools, so that they have equal probabilities (IEA); or the target cluster size for
        moderately small schools, a half and a quarter of it for very small ones (PISA).
    overlap : Keyfitz or PermanentNumbers, optional
        Control of the schools in common with another survey.
    replacement_gaps : {"show", "refuse"}, default "show"
        Whether a sampled school for which the frame holds fewer replacements than ``n_replacements`` is
        shown in the result, or refused.

    Raises
    ------
    DesignError
        If a value is outside what is described here.

    References
    ----------
    .. [1] ``docs/algorithms/school_sampling.md``.

    Examples
    --------
    >>> plan = Design(explicit=["region"], n_schools={"North": 40, "South": 60}, n_students=35)
    >>> plan.floor
    35.0
    """

    n_schools: int | Mapping[Any, int]
    n_students: int
    explicit: Sequence[str] = ()
    implicit: Sequence[str] = ()
    measure_of_size: str = "enrolment"
    certainty: Certainty = "recompute"
    size_floor: float | None = None
    zero_size: ZeroSize = "refuse"
    n_replacements: int = 2
    allocation: Method = "proportional"
    small_schools: SmallSchools = "floor"
    overlap: Overlap | None = None
    replacement_gaps: ReplacementGaps = "show"

    def __post_init__(self) -> None:
        """Fix the sequences and refuse what cannot be drawn."""
        for name in ("explicit", "implicit"):
            object.__setattr__(self, name, _columns(name, getattr(self, name)))
        if isinstance(self.n_schools, Mapping):
            object.__setattr__(self, "n_schools", dict(self.n_schools))
        _refuse_values(self)

    @property
    def floor(self) -> float:
        """Smallest measure of size, in students."""
        return float(self.n_students if self.size_floor is None else self.size_floor)


def _columns(name: str, value: Sequence[str]) -> tuple[str, ...]:
    """Turn a list of column names into a tuple, refusing a bare string and a repeated name."""
    if isinstance(value, str):
        raise DesignError(
            f"The '{name}' parameter must be a list of column names. Got the text {value!r}.",
            hint=f"Write {name}=[{value!r}].",
            param=name,
            got=value,
        )
    names = tuple(value)
    if len(set(names)) != len(names):
        raise DesignError(f"The '{name}' parameter names a column twice: {', '.join(names)}.", param=name)
    return names


def _whole(value: object) -> bool:
    """Say whether a value is a whole number, NumPy's included, and no truth value."""
    return hasattr(value, "__index__") and not isinstance(value, bool)


def _refuse_values(design: Design) -> None:
    """Refuse numbers and names outside their range."""
    counts = design.n_schools if isinstance(design.n_schools, Mapping) else {"all": design.n_schools}
    bad = [f"{key}: {count}" for key, count in counts.items() if not _whole(count) or int(count) < 1]
    if bad or not counts:
        raise DesignError(
            "The 'n_schools' parameter must be a whole number of 1 or more in every stratum. "
            f"Got {bad[0] if bad else 'no stratum'}.",
            where=bad,
            why="A stratum in which no school is drawn is not covered by the results.",
            hint="Ask for a school in each stratum, or leave the stratum out of the frame as an exclusion.",
            param="n_schools",
        )
    _refuse_unless(
        _whole(design.n_students) and design.n_students >= 1,
        "n_students",
        design.n_students,
        "a whole number of 1 or more",
    )
    _refuse_unless(design.n_replacements in (0, 1, 2), "n_replacements", design.n_replacements, "0, 1 or 2")
    floor = design.size_floor
    _refuse_unless(floor is None or 0 <= floor < float("inf"), "size_floor", floor, "0 or more")
    for name, allowed in (
        ("certainty", ("recompute", "cap")),
        ("zero_size", ("refuse", "floor")),
        ("allocation", ("proportional", "equal", "power")),
        ("small_schools", ("floor", "equal", "undersample")),
        ("replacement_gaps", ("show", "refuse")),
    ):
        value = getattr(design, name)
        _refuse_unless(value in allowed, name, value, "one of " + ", ".join(map(repr, allowed)))
    _refuse_unless(
        design.overlap is None or isinstance(design.overlap, (Keyfitz, PermanentNumbers)),
        "overlap",
        design.overlap,
        "Keyfitz(...) or PermanentNumbers(...)",
    )
    if isinstance(design.overlap, PermanentNumbers) and design.certainty == "cap":
        raise DesignError(
            "Permanent random numbers draw a fixed number of schools, which certainty='cap' does not give.",
            hint="Use certainty='recompute' with permanent random numbers.",
            param="certainty",
            got="cap",
        )
    both = [name for name in design.explicit if name in design.implicit]
    _refuse_unless(not both, "implicit", both, "columns that are not explicit as well")


def _refuse_unless(condition: bool, param: str, got: object, expected: str) -> None:
    """Refuse one parameter in the common sentence."""
    if not condition:
        raise DesignError(
            f"The '{param}' parameter of the design must be {expected}. Got {got!r}.",
            param=param,
            got=got,
            expected=expected,
        )
