"""Stage "nation": the country that the demonstration assesses; it stands in for a ministry's registers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lsakit.datasets.nation_size import NationSize
from lsakit.datasets.synthetic_nation import Nation, nation
from lsakit.datasets.truth import TruthOptions
from lsakit.lineage import Step, StepCall


def nation_of(parameters: Mapping[str, Any]) -> Nation:
    """Make the synthetic nation that a stage's parameters describe.

    Parameters
    ----------
    parameters : Mapping of str to object
        ``nation_seed`` and ``size`` as :meth:`lsakit.pipeline.CycleOptions.nation` gives them.

    Returns
    -------
    lsakit.datasets.synthetic_nation.Nation
        The nation; the same for the same parameters.
    """
    return _nation(int(parameters["nation_seed"]), NationSize(**parameters["size"]))


@lru_cache(maxsize=1)
def _nation(seed: int, size: NationSize) -> Nation:
    """Make a nation once per process."""
    return nation(seed=seed, size=size)


def make_nation(call: StepCall) -> dict[str, Any]:
    """Write the registers: units, schools and the booklet design.

    Parameters
    ----------
    call : StepCall
        Parameters ``nation_seed`` and ``size``.

    Returns
    -------
    dict of str to table
        ``provinces``, ``communes``, ``schools``, ``booklets``.
    """
    made = nation_of(call.parameters)
    return {
        "provinces": made.units.provinces,
        "communes": made.units.communes,
        "schools": made.schools,
        "booklets": made.booklets,
    }


def make_grade(call: StepCall) -> dict[str, Any]:
    """Write what belongs to one grade: items, published parameters of trend items, and the known truth.

    Parameters
    ----------
    call : StepCall
        Parameters ``nation_seed``, ``size``, ``grade``, ``cuts``, ``scale_slope``, ``scale_intercept``.

    Returns
    -------
    dict of str to table
        ``items``, ``trend_items``, ``truth`` (the exact values of the whole population, which only a
        synthetic nation has).
    """
    settings = call.parameters
    made, grade = nation_of(settings), int(settings["grade"])
    scale = TruthOptions(
        slope=float(settings["scale_slope"]),
        intercept=float(settings["scale_intercept"]),
        cuts=tuple(float(cut) for cut in settings["cuts"]),
    )
    call.progress("the known truth of all students", 0.1)
    return {
        "items": made.items(grade),
        "trend_items": made.trend_items(grade),
        "truth": made.truth(grade, scale),
    }


NATION = Step(
    name="nation",
    version=1,
    title="registers of units and schools",
    run=make_nation,
    outputs=("provinces", "communes", "schools", "booklets"),
)
NATION_GRADE = Step(
    name="nation_grade",
    version=1,
    title="items, trend items and the known truth of one grade",
    run=make_grade,
    outputs=("items", "trend_items", "truth"),
)
