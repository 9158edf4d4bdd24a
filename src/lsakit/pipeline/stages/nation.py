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
        ``nation_seed`` and ``size`` as :meth:`lsakit.pipeline.CycleOptions.nation` gives them; ``is_earlier`` where
        the nation of the previous cycle is meant.

    Returns
    -------
    lsakit.datasets.synthetic_nation.Nation
        The nation; the same for the same parameters.
    """
    size = NationSize(**parameters["size"])
    return _nation(int(parameters["nation_seed"]), size, bool(parameters.get("is_earlier", False)))


@lru_cache(maxsize=2)
def _nation(seed: int, size: NationSize, is_earlier: bool) -> Nation:
    """Make a nation, and that of the previous cycle, once per process."""
    return nation(seed=seed, size=size, is_earlier=is_earlier)


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


def make_earlier_grade(call: StepCall) -> dict[str, Any]:
    """Write the instrument of one grade of the previous cycle.

    Parameters
    ----------
    call : StepCall
        Parameters ``nation_seed``, ``size``, ``grade``, ``is_earlier``.

    Returns
    -------
    dict of str to table
        ``items`` and ``trend_items``, whose published parameters hold in both cycles.
    """
    made, grade = nation_of(call.parameters), int(call.parameters["grade"])
    return {"items": made.items(grade), "trend_items": made.trend_items(grade)}


NATION = Step(
    name="nation",
    version=1,
    title="registers of units and schools",
    run=make_nation,
    outputs=("provinces", "communes", "schools", "booklets"),
)
NATION_GRADE = Step(
    name="nation_grade",
    version=2,
    title="items, trend items and the known truth of one grade",
    run=make_grade,
    outputs=("items", "trend_items", "truth"),
)
EARLIER_INSTRUMENT = Step(
    name="earlier_instrument",
    version=1,
    title="instrument of the previous cycle",
    run=make_earlier_grade,
    outputs=("items", "trend_items"),
)
