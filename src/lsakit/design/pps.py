"""The school draw: strata, serpentine order, systematic PPS, replacements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.allocation import AllocationLimits, allocate_schools
from lsakit.design.drawn import DrawnSchools
from lsakit.design.options import Design
from lsakit.design.overlap_draw import overlap_columns, with_overlap_control
from lsakit.design.random_starts import START_DENOMINATOR, seed_of, start_numerators
from lsakit.design.replacements import assign_replacements
from lsakit.design.small_schools import equal_small_sizes, undersampled_sizes
from lsakit.design.strata import key_codes, serpentine_order, stratum_labels, wanted_by_label
from lsakit.design.systematic import SystematicDraw, systematic_pps
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, floats, make_table, refuse_duplicates, strings

LEAST_SCHOOLS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The frame's columns as arrays, in the order of its rows."""

    school_id: NDArray[np.object_]
    label: NDArray[np.object_]
    size: NDArray[np.float64]
    measure: NDArray[np.float64]
    enrolment: NDArray[np.float64]
    implicit: list[str | None]
    keys: list[NDArray[np.int64]]
    extra: dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StratumDraw:
    """One stratum after its draw; rows are frame row numbers in sorted order."""

    label: str
    rows: NDArray[np.int64]
    n_schools: int
    start: int
    draw: SystematicDraw
    replacements: list[tuple[int | None, int | None]]
    extra: dict[str, NDArray[Any]]


def draw_schools(frame: Any, design: Design, *, rng: np.random.Generator | int) -> DrawnSchools:
    """Draw schools with probability proportional to size, with their replacements.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        One row per school: school_id, the columns that ``design`` names, and enrolment.
    design : Design
        The plan.
    rng : numpy.random.Generator or int
        Source of the random starts, or the seed itself.

    Returns
    -------
    DrawnSchools
        Sample, strata, sorted frame; ``.explain(school_id)`` in words.

    Raises
    ------
    DesignError
        If a stratum has fewer schools than asked, a size is 0, or the plan does not fit the frame.
    TableError
        If a column is absent, has missing values, or a school stands twice.

    Notes
    -----
    Each stratum has its own random start in (0, 1], derived from the seed and the stratum's label, so that
    one stratum's draw does not depend on another's. The order of the frame's rows does not matter.

    References
    ----------
    .. [1] ``docs/algorithms/school_sampling.md``.
    .. [2] Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, section 3.6.2.

    Examples
    --------
    >>> frame = {"school_id": list("ABCDEF"), "enrolment": [90, 80, 70, 60, 50, 40]}
    >>> drawn = draw_schools(frame, Design(n_schools=2, n_students=30), rng=2026)
    >>> float((1 / drawn.table.get_column("base_weight") / drawn.table.get_column("probability")).sum())
    2.0
    """
    columns = _read_frame(as_table(frame, param="frame"), design)
    seed = seed_of(rng)
    labels = sorted(set(columns.label.tolist()))
    wanted = _wanted(columns, labels, design)
    starts = start_numerators(seed, "draw_schools", labels)
    ordered = _sorted_rows(columns, labels)
    draws = []
    for label, start in zip(labels, starts, strict=True):
        draws.append(_draw_stratum(columns, label, ordered[label], wanted[label], start, design))
    if design.replacement_gaps == "refuse":
        _refuse_gaps(columns, draws, design)
    return DrawnSchools(
        table=_sample_table(columns, draws),
        strata=_strata_table(columns, draws),
        frame=_frame_table(columns, draws),
        design=design,
        seed=seed,
    )


def _read_frame(table: Table, design: Design) -> _Frame:
    """Check the frame's columns and take them as arrays."""
    refuse_duplicates(table, "school_id", param="frame")
    ids = strings(table, "school_id", param="frame")
    if not ids:
        raise TableError("The frame has no rows.", hint="Pass one row per school.", param="frame")
    size = floats(table, design.measure_of_size, param="frame")
    labels = stratum_labels(table, design.explicit)
    measure = measures_of_size(size, labels, design)
    _refuse_sizes(size, measure, ids, design)
    sizes = np.unique(measure, return_inverse=True)[1].astype(np.int64)
    by_id = np.unique(np.asarray(ids, dtype=np.str_), return_inverse=True)[1].astype(np.int64)
    first = strings(table, design.implicit[0], param="frame") if design.implicit else [None] * len(ids)
    keys = [key_codes(table, name, param="frame") for name in design.implicit]
    has_enrolment = "enrolment" in table.columns
    return _Frame(
        school_id=np.asarray(ids, dtype=object),
        label=np.asarray(labels, dtype=object),
        size=size,
        measure=measure,
        enrolment=floats(table, "enrolment", param="frame") if has_enrolment else size,
        implicit=list(first),
        keys=[*keys, sizes, by_id],
        extra=overlap_columns(table, design.overlap),
    )


def measures_of_size(size: NDArray[np.float64], labels: Sequence[str], design: Design) -> NDArray[np.float64]:
    """Give every school its measure of size by the design's rule for small schools.

    Parameters
    ----------
    size : ndarray of shape (n_schools,)
        Size column of the frame, in students.
    labels : Sequence of str of shape (n_schools,)
        Explicit stratum of each school.
    design : Design
        The plan.

    Returns
    -------
    ndarray of shape (n_schools,)
        Measure of size, in students.
    """
    if design.small_schools == "undersample":
        return undersampled_sizes(size, design.n_students)
    if design.small_schools == "equal":
        codes = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)[1]
        return equal_small_sizes(size, design.floor, codes)
    return np.maximum(size, design.floor)


def _refuse_sizes(
    size: NDArray[np.float64], measure: NDArray[np.float64], ids: Sequence[str], design: Design
) -> None:
    """Refuse sizes that give a school no chance."""
    allowed = (size >= 0) & (measure > 0) if design.zero_size == "floor" else (size > 0)
    bad = np.flatnonzero(~allowed)
    if len(bad):
        raise DesignError(
            f"The '{design.measure_of_size}' column of the frame must be positive. "
            f"Got {size[bad[0]]:g} in {len(bad)} of {len(size)} schools.",
            where=[ids[row] for row in bad.tolist()],
            why="A school of size 0 cannot be drawn.",
            hint="Drop it, correct its enrolment, or set zero_size='floor' in the design if it may have students.",
            param=design.measure_of_size,
            got=float(size[bad[0]]),
        )


def _wanted(columns: _Frame, labels: Sequence[str], design: Design) -> dict[str, int]:
    """Say how many schools each stratum gives, refusing more than it has."""
    held: dict[str, int] = dict.fromkeys(labels, 0)
    total: dict[str, float] = dict.fromkeys(labels, 0.0)
    for label, size in zip(columns.label.tolist(), columns.size.tolist(), strict=True):
        held[label] += 1
        total[label] += size
    if not isinstance(design.n_schools, Mapping):
        return allocate_to_strata(total, held, design)
    wanted = wanted_by_label(design.n_schools, labels, design)
    short = [label for label in labels if wanted[label] > held[label]]
    if short:
        raise DesignError(
            f"The 'n_schools' parameter asks stratum {short[0]!r} for {wanted[short[0]]} schools. "
            f"The frame has {held[short[0]]} there.",
            where=[f"{label} ({wanted[label]} of {held[label]})" for label in short],
            why="No school can be drawn twice.",
            hint="Ask for at most the schools of the frame, or merge the stratum with its neighbour.",
            param="n_schools",
            got=wanted[short[0]],
        )
    return wanted


def allocate_to_strata(total: dict[str, float], held: dict[str, int], design: Design) -> dict[str, int]:
    """Spread a whole number of schools over the strata of a frame, at least two to each.

    Parameters
    ----------
    total : dict of str to float
        Students (sum of the size column) by stratum.
    held : dict of str to int
        Schools in the frame by stratum.
    design : Design
        The plan; its ``n_schools`` is a whole number.

    Returns
    -------
    dict of str to int
        Schools to draw by stratum.

    Raises
    ------
    DesignError
        If the number is too small for two schools in each stratum, or larger than the frame.
    """
    n_schools = int(design.n_schools)  # type: ignore[arg-type]
    least = {label: min(LEAST_SCHOOLS, count) for label, count in held.items()} if len(held) > 1 else {}
    needed = sum(least.values())
    if not needed <= n_schools <= sum(held.values()):
        raise DesignError(
            f"The 'n_schools' parameter is {n_schools}. The frame has {sum(held.values())} schools in "
            f"{len(held)} strata, and two schools in each stratum make {needed}.",
            why="A stratum with fewer than two schools has no sampling variance that could be estimated.",
            hint=f"Ask for {needed} to {sum(held.values())} schools, or use fewer explicit strata.",
            param="n_schools",
            got=n_schools,
        )
    shares = {label: max(size, 1e-9) for label, size in total.items()}
    limits = AllocationLimits(minimum=least, maximum=held)
    return allocate_schools(shares, n_schools, method=design.allocation, limits=limits).counts


def _sorted_rows(columns: _Frame, labels: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Put the rows of each stratum in serpentine order; ties go by school_id, ascending."""
    codes = np.searchsorted(np.asarray(labels, dtype=np.str_), columns.label.astype(np.str_))
    by_id = columns.keys[-1]
    rows = np.lexsort((by_id, codes))
    borders = np.searchsorted(codes[rows], np.arange(len(labels) + 1))
    ordered = {}
    for number, label in enumerate(labels):
        inside = rows[borders[number] : borders[number + 1]]
        ordered[label] = inside[serpentine_order([key[inside] for key in columns.keys[:-1]])]
    return ordered


def _draw_stratum(
    columns: _Frame, label: str, rows: NDArray[np.int64], n_schools: int, start: int, design: Design
) -> _StratumDraw:
    """Draw one stratum and name its replacements."""
    draw = systematic_pps(
        columns.measure[rows],
        n_schools,
        random_number=Fraction(start, START_DENOMINATOR),
        certainty=design.certainty,
    )
    extra = {name: values[rows] for name, values in columns.extra.items()}
    if design.overlap is not None:
        draw, extra = with_overlap_control(draw, extra, design.overlap, start=start, n_schools=n_schools)
    return _StratumDraw(
        label=label,
        rows=rows,
        n_schools=n_schools,
        start=start,
        draw=draw,
        replacements=assign_replacements(len(rows), draw.selected, n_replacements=design.n_replacements),
        extra=extra,
    )


def _refuse_gaps(columns: _Frame, draws: Sequence[_StratumDraw], design: Design) -> None:
    """Refuse more replacements than the frame holds, where the design says so."""
    lacking = [
        columns.school_id[one.rows[place]]
        for one in draws
        for place, behind in zip(one.draw.selected, one.replacements, strict=True)
        if None in behind[: design.n_replacements]
    ]
    if lacking:
        raise DesignError(
            f"The frame holds too few schools for {design.n_replacements} replacements of every sampled "
            f"school: {len(lacking)} sampled schools lack one.",
            where=lacking,
            why="A replacement is a free neighbor in the same explicit stratum; none is invented.",
            hint="Ask for fewer schools or replacements, merge strata, or set replacement_gaps='show'.",
            param="n_replacements",
            got=design.n_replacements,
        )


def _sample_table(columns: _Frame, draws: Sequence[_StratumDraw]) -> Table:
    """Write the sampled schools in frame order."""
    out: dict[str, list[Any]] = {name: [] for name in SAMPLE_COLUMNS}
    for stratum in draws:
        ids = columns.school_id[stratum.rows].tolist()
        for place, behind in zip(stratum.draw.selected, stratum.replacements, strict=True):
            row = int(stratum.rows[place])
            first, second = (None if to is None else ids[to] for to in behind)
            values = (
                ids[place],
                stratum.label,
                stratum.draw.probability[place],
                stratum.draw.base_weight[place],
                first,
                second,
                stratum.draw.is_certainty[place],
                len(out["school_id"]) + 1,
                float(columns.measure[row]),
                float(columns.enrolment[row]),
                columns.implicit[row],
            )
            for name, value in zip(SAMPLE_COLUMNS, values, strict=True):
                out[name].append(value)
    return _typed(out, ("replacement_1", "replacement_2", "implicit_stratum"))


SAMPLE_COLUMNS = (
    "school_id",
    "stratum",
    "probability",
    "base_weight",
    "replacement_1",
    "replacement_2",
    "is_certainty",
    "selection_order",
    "measure_of_size",
    "enrolment",
    "implicit_stratum",
)


def _typed(columns: dict[str, list[Any]], texts: Sequence[str]) -> Table:
    """Make a table whose text columns stay text even when all their values are missing."""
    table = make_table(columns)
    return table.cast(dict.fromkeys(texts, table.schema["school_id"]))


def _strata_table(columns: _Frame, draws: Sequence[_StratumDraw]) -> Table:
    """Write one row per stratum with what its draw used."""
    intervals = [None if one.draw.interval is None else float(one.draw.interval) for one in draws]
    return make_table(
        {
            "stratum": [one.label for one in draws],
            "n_frame": [len(one.rows) for one in draws],
            "n_schools": [one.n_schools for one in draws],
            "n_drawn": [len(one.draw.selected) for one in draws],
            "n_certainty": [sum(one.draw.is_certainty) for one in draws],
            "total_size": [float(columns.measure[one.rows].sum()) for one in draws],
            "interval": np.asarray(intervals, dtype=np.float64) if None not in intervals else intervals,
            "random_number": [one.start / START_DENOMINATOR for one in draws],
            "n_without_replacement_1": [sum(first is None for first, _ in one.replacements) for one in draws],
            "n_without_replacement_2": [
                sum(second is None for _, second in one.replacements) for one in draws
            ],
        }
    )


def _frame_table(columns: _Frame, draws: Sequence[_StratumDraw]) -> Table:
    """Write the whole frame in its sorted order with every school's probability."""
    rows = np.concatenate([one.rows for one in draws])
    drawn = np.concatenate([np.isin(np.arange(len(one.rows)), one.draw.selected) for one in draws])
    return make_table(
        {
            "school_id": columns.school_id[rows],
            "stratum": columns.label[rows],
            "frame_position": np.concatenate([np.arange(1, len(one.rows) + 1) for one in draws]),
            "size": columns.size[rows],
            "measure_of_size": columns.measure[rows],
            "cumulative_size": np.concatenate([np.cumsum(columns.measure[one.rows]) for one in draws]),
            "probability": np.concatenate([np.asarray(one.draw.probability) for one in draws]),
            "is_certainty": np.concatenate([np.asarray(one.draw.is_certainty) for one in draws]),
            "is_drawn": drawn,
            **{name: np.concatenate([one.extra[name] for one in draws]) for name in draws[0].extra},
        }
    )
