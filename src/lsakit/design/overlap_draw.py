"""The draw of one stratum under overlap control; probabilities and weights stay the unconditional ones."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.overlap import (
    Keyfitz,
    Overlap,
    PermanentNumbers,
    keyfitz_probabilities,
    pareto_ranks,
    shifted_numbers,
)
from lsakit.design.random_starts import START_DENOMINATOR
from lsakit.design.systematic import SystematicDraw, draw_by_probability
from lsakit.errors import DesignError
from lsakit.io.frames import Table, floats, strings


def overlap_columns(table: Table, overlap: Overlap | None) -> dict[str, NDArray[Any]]:
    """Take the columns that overlap control needs from the frame.

    Parameters
    ----------
    table : polars.DataFrame
        The frame.
    overlap : Keyfitz or PermanentNumbers or None
        What is asked.

    Returns
    -------
    dict of str to ndarray of shape (n_schools,)
        ``previous_probability`` and ``was_drawn``, or ``permanent_random_number``; empty without control.

    Raises
    ------
    DesignError
        If a value lies outside its range, or says that an impossible school was drawn; schools are named.
    TableError
        If a column is absent or has missing values.
    """
    if overlap is None:
        return {}
    ids = strings(table, "school_id", param="frame")
    if isinstance(overlap, PermanentNumbers):
        numbers = floats(table, overlap.column, param="frame")
        _refuse_schools(
            ~((numbers >= 0) & (numbers < 1)), ids, overlap.column, "must lie from 0 to below 1", numbers
        )
        return {"permanent_random_number": numbers}
    old = floats(table, overlap.previous_probability, param="frame")
    drawn = floats(table, overlap.previously_drawn, param="frame")
    _refuse_schools(
        ~((old >= 0) & (old <= 1)), ids, overlap.previous_probability, "must lie from 0 to 1", old
    )
    _refuse_schools(~np.isin(drawn, (0, 1)), ids, overlap.previously_drawn, "must be 0 or 1", drawn)
    name = overlap.previous_probability
    _refuse_schools((drawn == 1) & (old == 0), ids, name, "must be above 0 where a school was drawn", old)
    _refuse_schools((drawn == 0) & (old == 1), ids, name, "must be below 1 where a school was not drawn", old)
    return {"previous_probability": old, "was_drawn": drawn == 1}


def _refuse_schools(
    bad: NDArray[np.bool_], ids: list[str], name: str, rule: str, values: NDArray[np.float64]
) -> None:
    """Refuse values of a frame column, naming the schools."""
    rows = np.flatnonzero(bad)
    if len(rows):
        raise DesignError(
            f"The column {name!r} of the frame {rule}. Got {values[rows[0]]:g} in {len(rows)} of "
            f"{len(values)} schools.",
            where=[ids[row] for row in rows.tolist()],
            hint="Take the column from the record of the earlier draw; a new school has probability 0.",
            param=name,
            got=float(values[rows[0]]),
        )


def with_overlap_control(
    draw: SystematicDraw, columns: dict[str, NDArray[Any]], overlap: Overlap, *, start: int, n_schools: int
) -> tuple[SystematicDraw, dict[str, NDArray[Any]]]:
    """Replace the selection of a stratum's draw by one under overlap control.

    Parameters
    ----------
    draw : SystematicDraw
        Draw without control; its probabilities are kept.
    columns : dict of str to ndarray of shape (n_units,)
        The stratum's columns from `overlap_columns`, in sorted order.
    overlap : Keyfitz or PermanentNumbers
        What is asked.
    start : int
        Random start, as the numerator over ``2**53``; Keyfitz uses it.
    n_schools : int
        Schools asked; permanent random numbers draw exactly as many.

    Returns
    -------
    draw : SystematicDraw
        The draw with its new selection.
    columns : dict of str to ndarray of shape (n_units,)
        The columns, with ``conditional_probability`` or ``pareto_rank``.

    Notes
    -----
    With Keyfitz's method the number drawn varies around ``n_schools``, because the conditional
    probabilities of one stratum do not add up to a whole number.

    References
    ----------
    .. [1] ``docs/algorithms/overlap.md``.
    """
    probability = np.asarray(draw.probability)
    if isinstance(overlap, Keyfitz):
        given = keyfitz_probabilities(
            columns["previous_probability"], probability, columns["was_drawn"], direction=overlap.direction
        )
        selected, numbers = draw_by_probability(given, random_number=Fraction(start, START_DENOMINATOR))
        out = {**columns, "conditional_probability": given}
        return replace(draw, selected=selected, selection_numbers=numbers), out
    ranks = pareto_ranks(probability, columns["permanent_random_number"], shift=overlap.shift)
    # A stable sort: schools that tie stand in list order, so the draw does not depend on the machine.
    first = np.lexsort((np.arange(len(ranks)), ranks, probability < 1))[:n_schools]
    out = {
        **columns,
        "shifted_random_number": shifted_numbers(columns["permanent_random_number"], overlap.shift),
        "pareto_rank": ranks,
    }
    return replace(draw, selected=tuple(sorted(first.tolist())), selection_numbers=()), out
