"""Targeted swapping: records at highest risk exchange some values with one like them in another school.

See docs/algorithms/disclosure_control.md, section "Swapping".
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from lsakit.errors import TableError
from lsakit.io.frames import floats
from lsakit.randomness import stable_seeds
from lsakit.release.microdata import MicroData
from lsakit.release.plan import PlanStep
from lsakit.release.risk import counts_of_rows, individual_risk

TIDY_EVERY = 256  # how often taken rows leave the queue of partners
LOG_SCHEMA = {
    "key": pl.String,
    "partner": pl.String,
    "variable": pl.String,
    "old": pl.String,
    "new": pl.String,
}


def swap(data: MicroData, step: PlanStep, seed: int) -> tuple[MicroData, pl.DataFrame]:
    """Swap values between students.

    Parameters
    ----------
    data : MicroData
        The files.
    step : PlanStep
        Variables that change places together; ``share`` of students to swap, 0 to 0.2; ``match``, variables in
        which partners agree; ``keys``, the key set whose individual risk chooses the students.
    seed : int
        Seed; the stream of a student depends on the student alone.

    Returns
    -------
    data : MicroData
        The files.
    log : polars.DataFrame
        One row per changed value: ``key, partner, variable, old, new``. It undoes the swap and is never released.

    Raises
    ------
    TableError
        If the share is out of range or a swapped variable belongs to the school.
    """
    share = float(step.settings["share"])
    if not 0.0 <= share <= 0.2:
        raise TableError(
            f"The share of swapped records must be between 0 and 0.2. Got {share}.", param="share"
        )
    at_school = [name for name in step.variables if name in data.carried]
    if at_school:
        raise TableError(
            f"The variable {at_school[0]!r} belongs to the school and cannot be swapped between students.",
            hint="Suppress or merge it instead.",
            param=at_school[0],
        )
    view = data.students
    pairs = _pairs(data, view, step, seed=seed, most=math.floor(share * view.height / 2))
    table = data.tables["student"]
    if not pairs:
        return data, pl.DataFrame(schema=LOG_SCHEMA)
    left, right = (np.asarray(side, dtype=np.int64) for side in zip(*pairs, strict=True))
    source = np.arange(table.height)
    source[left], source[right] = right, left
    swapped = table.with_columns(table.select(step.variables)[source])
    return data.with_table("student", swapped), _log(data, table, swapped, step, source)


def _pairs(
    data: MicroData, view: pl.DataFrame, step: PlanStep, *, seed: int, most: int
) -> list[tuple[int, int]]:
    """Choose pairs of rows: the riskiest student and the next free one that matches, in another school."""
    keys, match = list(step.settings["keys"]), list(step.settings["match"])
    counts = counts_of_rows(view, keys)
    weights = np.maximum(floats(view, data.weight), 1.0)
    frame = view.select(keys).with_columns(pl.Series("__w", weights))
    sums = frame.select(pl.col("__w").sum().over(keys)).to_series().to_numpy()
    risk = individual_risk(counts, np.maximum(sums, counts))
    ids = view.get_column(data.student_key).cast(pl.String).to_list()
    ticket = stable_seeds(seed, "release.swap", ids)
    schools = view.get_column(data.school_key).to_list()
    values = view.select(step.variables).rows()
    waiting: dict[tuple[object, ...], list[int]] = {}
    groups = view.select(match).rows()
    for row in np.argsort(ticket, kind="stable").tolist():
        waiting.setdefault(groups[row], []).append(row)
    free = np.ones(view.height, dtype=bool)
    pairs: list[tuple[int, int]] = []
    n_taken: dict[tuple[object, ...], int] = dict.fromkeys(waiting, 0)
    for row in np.lexsort((ticket, -risk)).tolist():
        if len(pairs) >= most:
            break
        if not free[row]:
            continue
        group = groups[row]
        partner = next(
            (
                other
                for other in waiting[group]
                if free[other] and schools[other] != schools[row] and values[other] != values[row]
            ),
            None,
        )
        if partner is None:
            continue
        free[row] = free[partner] = False
        pairs.append((row, partner))
        n_taken[group] += 1
        if n_taken[group] % TIDY_EVERY == 0:
            waiting[group] = [other for other in waiting[group] if free[other]]
    return pairs


def _log(
    data: MicroData,
    before: pl.DataFrame,
    after: pl.DataFrame,
    step: PlanStep,
    source: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> pl.DataFrame:
    """Write one row per changed value."""
    ids = before.get_column(data.student_key).cast(pl.String)
    moved = pl.Series(source != np.arange(len(source)))
    partner = ids.gather(source)
    parts = [
        pl.DataFrame(
            {
                "key": ids,
                "partner": partner,
                "variable": [name] * len(ids),
                "old": before.get_column(name).cast(pl.String),
                "new": after.get_column(name).cast(pl.String),
            },
            schema=LOG_SCHEMA,
        ).filter(moved)
        for name in step.variables
    ]
    return pl.concat(parts).filter(pl.col("old").ne_missing(pl.col("new"))).sort("key", "variable")
