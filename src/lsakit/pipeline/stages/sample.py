"""Stage "sample": schools, their replacements, students and booklets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lsakit.design.drawn import DrawnSchools
from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.within_school import select_students
from lsakit.io.frames import as_table, require_columns
from lsakit.lineage import Step, StepCall
from lsakit.pipeline.stages.frame import cycle_design
from lsakit.pipeline.stages.nation import nation_of


def draw_again(frame: pl.DataFrame, parameters: Mapping[str, Any], seed: int) -> DrawnSchools:
    """Draw the schools that a manifest records, with the words that explain each.

    Parameters
    ----------
    frame : polars.DataFrame
        Frame of the grade.
    parameters : Mapping of str to object
        Parameters of the manifest, of a cycle's stage or of ``draw_schools``.
    seed : int
        Seed of the manifest.

    Returns
    -------
    DrawnSchools
        The same draw.
    """
    if "design" in parameters:
        return draw_schools(frame, design_of(frame, parameters), rng=seed)
    design = cycle_design(
        frame,
        n_schools_per_province=int(parameters["n_schools_per_province"]),
        n_students=int(parameters["n_students"]),
    )
    return draw_schools(frame, design, rng=seed)


def run_sample(call: StepCall) -> dict[str, Any]:
    """Draw schools and replacements, ask for their lists, draw students, deal booklets.

    Parameters
    ----------
    call : StepCall
        Inputs ``frame``, ``booklets``; parameters ``grade``, ``n_schools_per_province``, ``n_students``,
        ``nation_seed``, ``size``; seed.

    Returns
    -------
    dict of str to table
        ``drawn``, ``strata``, ``lists``, ``pupils``.
    """
    seed = call.required_seed
    drawn = draw_again(call.inputs["frame"], call.parameters, seed)
    call.progress("lists of students", 0.3)
    lists = nation_of(call.parameters).lists(wanted_schools(drawn.table), int(call.parameters["grade"]))
    call.progress("students and booklets", 0.6)
    n_booklets = call.inputs["booklets"]["booklet"].n_unique()
    pupils = select_students(lists, drawn, rng=seed, n_booklets=n_booklets)
    return {"drawn": drawn.table, "strata": drawn.strata, "lists": lists, "pupils": pupils.table}


def wanted_schools(drawn: pl.DataFrame) -> list[str]:
    """Name the schools whose lists are asked for.

    Parameters
    ----------
    drawn : polars.DataFrame
        The school sample.

    Returns
    -------
    list of str
        Sampled schools and their replacements, each once, in ascending order.
    """
    names = [drawn.get_column(name) for name in ("school_id", "replacement_1", "replacement_2")]
    return pl.concat([column.alias("school_id") for column in names]).drop_nulls().unique().sort().to_list()


def design_of(frame: pl.DataFrame, parameters: Mapping[str, Any]) -> Design:
    """Read a design from parameters.

    Parameters
    ----------
    frame : polars.DataFrame
        Frame to draw from.
    parameters : Mapping of str to object
        ``design`` (fields of :class:`~lsakit.design.options.Design`); with ``in_each_stratum`` the number of
        schools holds for each explicit stratum, all where one has fewer.

    Returns
    -------
    Design
        The design.

    Raises
    ------
    UnknownColumnError
        If the frame lacks an explicit column.
    """
    fields = dict(parameters["design"])
    explicit = list(fields.get("explicit", ()))
    if parameters.get("in_each_stratum") and explicit:
        require_columns(frame, explicit, param="frame")
        counts = frame.group_by(explicit).len().sort(explicit).rows()
        one = len(explicit) == 1
        fields["n_schools"] = {
            (row[0] if one else tuple(row[:-1])): min(int(fields["n_schools"]), row[-1]) for row in counts
        }
    return Design(**fields)


def run_draw_schools(call: StepCall) -> dict[str, Any]:
    """Draw schools from any frame by any design.

    Parameters
    ----------
    call : StepCall
        Input ``frame``; parameters ``design``, ``in_each_stratum``; seed.

    Returns
    -------
    dict of str to table
        ``drawn``, ``strata``.
    """
    frame = as_table(call.inputs["frame"], param="frame")
    drawn = draw_schools(frame, design_of(frame, call.parameters), rng=call.required_seed)
    return {"drawn": drawn.table, "strata": drawn.strata}


def run_lists(call: StepCall) -> dict[str, Any]:
    """Ask the schools of the synthetic nation for their lists of students.

    Parameters
    ----------
    call : StepCall
        Input ``drawn``; parameters ``nation_seed``, ``size``, ``grade``.

    Returns
    -------
    dict of str to table
        ``lists``.
    """
    nation = nation_of(call.parameters)
    return {"lists": nation.lists(wanted_schools(call.inputs["drawn"]), int(call.parameters["grade"]))}


def run_select_students(call: StepCall) -> dict[str, Any]:
    """Draw students from any lists.

    Parameters
    ----------
    call : StepCall
        Inputs ``lists``, ``drawn``; parameters ``n_students``, ``n_booklets``; seed.

    Returns
    -------
    dict of str to table
        ``pupils``.
    """
    selected = select_students(
        as_table(call.inputs["lists"], param="lists"),
        call.inputs["drawn"],
        rng=call.required_seed,
        n_students=int(call.parameters["n_students"]),
        n_booklets=int(call.parameters["n_booklets"]),
    )
    return {"pupils": selected.table}


SAMPLE = Step(
    name="sample",
    version=1,
    title="schools, replacements, students and booklets",
    run=run_sample,
    inputs=("frame", "booklets"),
    outputs=("drawn", "strata", "lists", "pupils"),
)
DRAW_SCHOOLS = Step(
    name="draw_schools",
    version=1,
    title="schools with probability proportional to size",
    run=run_draw_schools,
    inputs=("frame",),
    outputs=("drawn", "strata"),
)
LISTS = Step(
    name="lists",
    version=1,
    title="lists of students of the synthetic nation",
    run=run_lists,
    inputs=("drawn",),
    outputs=("lists",),
)
SELECT_STUDENTS = Step(
    name="select_students",
    version=1,
    title="students and booklets in each school",
    run=run_select_students,
    inputs=("lists", "drawn"),
    outputs=("pupils",),
)
