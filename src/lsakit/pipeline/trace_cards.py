"""The steps of a trace, each from the rows of one or two artefacts."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.errors import LineageError
from lsakit.lineage import Manifest
from lsakit.pipeline.stages.sample import draw_again
from lsakit.pipeline.stages.weights import weights_again
from lsakit.pipeline.trace_sources import only_row
from lsakit.pipeline.tracing import TraceStep, Walk, figure_row

FIRST = 5


def report_cards(walk: Walk, figure_id: str) -> list[TraceStep]:
    """Say in which sections of the reports a figure stands.

    Parameters
    ----------
    walk : Walk
        The walk.
    figure_id : str
        Code of the figure.

    Returns
    -------
    list of TraceStep
        One step, or none when there is no report or the figure stands in none.
    """
    manifest = walk.source.report()
    if manifest is None:
        return []
    specification = walk.source.output(manifest, "specification")
    places = [
        {"report": name, "section": section["heading"]}
        for name, report in specification.items()
        for section in report["sections"]
        if figure_id in section["figure_ids"]
    ]
    if not places:
        return []
    rows = pl.DataFrame(places)
    return [walk.step("report", manifest, ("specification",), rows, figure=figure_id, n=rows.height)]


def figure_card(walk: Walk, manifest: Manifest) -> TraceStep:
    """Show the figure's row in the table of estimates.

    Parameters
    ----------
    walk : Walk
        The walk.
    manifest : Manifest
        Run of the estimates.

    Returns
    -------
    TraceStep
        The step.
    """
    code = walk.code
    figure_id = "/".join((code.population, code.subject, code.statistic, code.by, code.group))
    estimates = walk.source.output(manifest, "estimates")
    row = figure_row(estimates, figure_id)
    rows = estimates.filter(pl.col("figure_id") == figure_id)
    counts = {"figure": figure_id, "n": walk.number(row["n"]), "n_schools": walk.number(row["n_schools"])}
    if row["suppressed_because"]:
        return walk.step(
            "estimates",
            manifest,
            ("estimates",),
            rows,
            key="estimates_suppressed",
            reason=row["suppressed_because"],
            **counts,
        )
    names = {
        "estimate": "estimate", "standard_error": "standard_error", "low": "ci_low", "high": "ci_high",
        "sampling": "sampling_variance", "measurement": "measurement_variance",
    }  # fmt: skip
    numbers = {word: walk.number(row[name]) for word, name in names.items()}
    return walk.step("estimates", manifest, ("estimates",), rows, **counts, **numbers)


def members(walk: Walk, manifest: Manifest) -> pl.DataFrame:
    """List the students who belong to a figure.

    Parameters
    ----------
    walk : Walk
        The walk.
    manifest : Manifest
        Run of the estimates.

    Returns
    -------
    polars.DataFrame
        student_id, school_id, weight and the groups, in the order of student_id.
    """
    table: pl.DataFrame = walk.source.output(manifest, f"{walk.prefix}analysis_groups")
    for name, values in walk.code.keys.items():
        if name not in table.columns:
            raise LineageError(
                f"The figure is broken down by {name!r}, which the analysis does not hold.", param="figure"
            )
        table = table.filter(pl.col(name).is_in(list(values)))
    return table.sort("student_id")


def choose_student(
    found: pl.DataFrame, figure_id: str, student_id: str | None, school_id: str | None
) -> dict[str, Any]:
    """Choose the student whom the walk follows.

    Parameters
    ----------
    found : polars.DataFrame
        Students of the figure.
    figure_id : str
        Code of the figure.
    student_id : str or None
        Student asked for.
    school_id : str or None
        School asked for.

    Returns
    -------
    dict of str to object
        The student's row.

    Raises
    ------
    LineageError
        If the figure holds no such student or school.
    """
    chosen = found
    for name, value in (("school_id", school_id), ("student_id", student_id)):
        if value is None:
            continue
        chosen = chosen.filter(pl.col(name) == value)
        if not chosen.height:
            raise LineageError(
                f"The {name} {value!r} does not belong to the figure {figure_id!r}.",
                hint=f"Choose among its {found.height} students, such as "
                f"{', '.join(found.get_column(name).unique(maintain_order=True).head(3).to_list())}.",
                param=name,
                got=value,
            )
    if not chosen.height:
        raise LineageError(f"No student belongs to the figure {figure_id!r}.", param="figure", got=figure_id)
    return chosen.row(0, named=True)


def group_card(walk: Walk, manifest: Manifest, found: pl.DataFrame, student: dict[str, Any]) -> TraceStep:
    """Show the students behind a figure.

    Parameters
    ----------
    walk : Walk
        The walk.
    manifest : Manifest
        Run of the estimates.
    found : polars.DataFrame
        Students of the figure.
    student : dict of str to object
        The student whom the walk follows.

    Returns
    -------
    TraceStep
        The step.
    """
    return walk.step(
        "estimates",
        manifest,
        (f"{walk.prefix}analysis_groups",),
        found.head(FIRST),
        key="group",
        title="group",
        n=walk.number(found.height),
        n_schools=walk.number(found.get_column("school_id").n_unique()),
        total=walk.number(found.get_column("weight").sum(), 0),
        student=student["student_id"],
        school=student["school_id"],
    )


def link_cards(walk: Walk, estimated: Manifest) -> list[TraceStep]:
    """Show how the scale of the previous cycle was linked, and the linking error that follows.

    Parameters
    ----------
    walk : Walk
        The walk.
    estimated : Manifest
        Run of the estimates.

    Returns
    -------
    list of TraceStep
        One step, or none where the source does not hold the link.
    """
    manifest = walk.source.behind(estimated, "linking_errors")
    if manifest is None:
        return []
    errors = walk.source.output(manifest, "linking_errors")
    row = only_row(errors, "subject", walk.code.subject, "table of linking errors")
    links = walk.source.output(manifest, "links").filter(pl.col("subject") == walk.code.subject)
    return [
        walk.step(
            "linking",
            manifest,
            ("links", "linking_errors"),
            links,
            subject=walk.code.subject,
            n=walk.number(row["n_items"]),
            shift=walk.number(row["mean_shift"]),
            logits=walk.number(row["linking_error_logits"]),
            points=walk.number(row["linking_error"], 2),
        )
    ]


def measurement_cards(walk: Walk, estimated: Manifest, student: str) -> list[TraceStep]:
    """Show plausible values, items, scores and answers of one student.

    Parameters
    ----------
    walk : Walk
        The walk.
    estimated : Manifest
        Run of the estimates.
    student : str
        Student.

    Returns
    -------
    list of TraceStep
        As many steps as the source holds.
    """
    drawn = walk.source.behind(estimated, f"{walk.prefix}plausible_values")
    if drawn is None:
        return []
    steps = [_values_card(walk, drawn, student)]
    scored = walk.source.behind(drawn, "scored_responses")
    calibrated = walk.source.behind(drawn, "item_parameters")
    if scored is None or calibrated is None:
        return steps
    items = walk.source.output(calibrated, "item_parameters").filter(pl.col("subject") == walk.code.subject)
    names = items.get_column("item").to_list()
    scores = walk.source.output(scored, "scored_responses")
    only_row(scores, "student_id", student, "table of scored responses")
    score = _long(scores, student, names, "score")
    steps.append(_items_card(walk, calibrated, student, items, score))
    steps.append(_scores_card(walk, scored, student, items, score))
    answered = walk.source.behind(scored, "raw_responses")
    if answered is not None:
        raw = walk.source.output(answered, "raw_responses")
        row = only_row(raw, "student_id", student, "table of raw responses")
        steps.append(
            walk.step(
                "administration",
                answered,
                ("raw_responses",),
                _long(raw, student, names, "answer"),
                student=student,
                booklet=row.get("booklet", "–"),
            )
        )
    return steps


def _long(table: pl.DataFrame, student: str, names: list[str], value: str) -> pl.DataFrame:
    """Lay one student's items under each other, those administered."""
    row = table.filter(pl.col("student_id") == student).select(
        name for name in names if name in table.columns
    )
    return row.unpivot(variable_name="item", value_name=value).drop_nulls(value)


def _values_card(walk: Walk, manifest: Manifest, student: str) -> TraceStep:
    """Show the plausible values of one student in the figure's subject."""
    table = walk.source.output(manifest, "plausible_values")
    only_row(table, "student_id", student, "table of plausible values")
    names = [
        name for name in table.columns if name.startswith("PV") and name.endswith(walk.code.subject.upper())
    ]
    rows = table.filter(pl.col("student_id") == student).select("student_id", *names)
    mean = sum(rows.row(0)[1:]) / len(names)
    return walk.step(
        "values",
        manifest,
        ("plausible_values",),
        rows,
        student=student,
        m=len(names),
        mean=walk.number(mean, 1),
    )


def _items_card(
    walk: Walk, manifest: Manifest, student: str, items: pl.DataFrame, score: pl.DataFrame
) -> TraceStep:
    """Show the parameters of the items that one student answered."""
    kept = [name for name in items.columns if name in ("item", "model", "slope", "difficulty", "fixed")]
    kept += [name for name in items.columns if name.startswith("step_")]
    rows = score.select("item").join(items.select(kept), on="item", how="left", maintain_order="left")
    fixed = int(rows.get_column("fixed").sum()) if "fixed" in rows.columns else 0
    return walk.step(
        "calibration",
        manifest,
        ("item_parameters",),
        rows,
        student=student,
        subject=walk.code.subject,
        n=rows.height,
        fixed=fixed,
    )


def _scores_card(
    walk: Walk, manifest: Manifest, student: str, items: pl.DataFrame, score: pl.DataFrame
) -> TraceStep:
    """Show the scores of one student."""
    steps = [name for name in items.columns if name.startswith("step_")]
    most = items.select(
        "item",
        most=pl.max_horizontal(pl.lit(1), pl.sum_horizontal(pl.col(steps).is_not_null().cast(pl.Int64))),
    )
    rows = score.join(most, on="item", how="left", maintain_order="left")
    return walk.step(
        "scoring",
        manifest,
        ("scored_responses",),
        rows.select("item", "score"),
        student=student,
        subject=walk.code.subject,
        n=rows.height,
        points=int(rows.get_column("score").sum()),
        most=int(rows.get_column("most").sum()),
    )


def sampling_cards(walk: Walk, estimated: Manifest, student: str) -> list[TraceStep]:
    """Show the weight, the draw, the frame row and the register row of one student's school.

    Parameters
    ----------
    walk : Walk
        The walk.
    estimated : Manifest
        Run of the estimates.
    student : str
        Student.

    Returns
    -------
    list of TraceStep
        As many steps as the source holds.
    """
    weighted = walk.source.behind(estimated, f"{walk.prefix}weights")
    if weighted is None:
        return []
    weights = walk.source.output(weighted, "weights")
    weight = only_row(weights, "student_id", student, "table of weights")
    steps = [_weight_card(walk, weighted, weights, weight)]
    sampled = walk.source.behind(weighted, "drawn")
    if sampled is None:
        return steps
    framed = walk.source.behind(sampled, "frame")
    frame = walk.source.output(framed, "frame") if framed is not None else None
    steps.append(_sample_card(walk, sampled, frame, weight))
    if framed is None or frame is None:
        return steps
    steps.append(_frame_card(walk, framed, frame, weight["school_id"]))
    registered = walk.source.behind(framed, "schools")
    if registered is not None:
        schools = walk.source.output(registered, "schools")
        row = only_row(schools, "school_id", weight["school_id"], "register of schools")
        steps.append(
            walk.step(
                "nation",
                registered,
                ("schools",),
                schools.filter(pl.col("school_id") == weight["school_id"]),
                commune=row["commune_code"],
                province=row["province_code"],
            )
        )
    return steps


def _weight_card(walk: Walk, manifest: Manifest, weights: pl.DataFrame, weight: dict[str, Any]) -> TraceStep:
    """Show how one student's weight is a product."""
    roles = ("weights", "weighted_schools", "weighted_students", "cells")
    tables = {role: walk.source.output(manifest, role) for role in roles if role in manifest.outputs}
    explanation = ""
    if len(tables) == len(roles) and walk.language == "en":
        words = weights_again(tables, str(manifest.parameters["rules"]))
        explanation = words.explain(weight["student_id"])
    factors = {
        "weight": "final_weight", "school_base": "school_base_weight",
        "school_trimming": "school_trimming_factor", "school_nonresponse": "school_nonresponse_factor",
        "student_base": "student_base_weight", "student_nonresponse": "student_nonresponse_factor",
        "student_trimming": "student_trimming_factor",
    }  # fmt: skip
    numbers = {word: walk.number(weight[name]) for word, name in factors.items()}
    return walk.step(
        "weights",
        manifest,
        ("weights",),
        weights.filter(pl.col("student_id") == weight["student_id"]),
        explanation=explanation,
        round_weight=walk.number(round(weight["final_weight"])),
        **numbers,
    )


def _sample_card(
    walk: Walk, manifest: Manifest, frame: pl.DataFrame | None, weight: dict[str, Any]
) -> TraceStep:
    """Show the draw of one school."""
    drawn = walk.source.output(manifest, "drawn")
    school = weight["sampled_school_id"]
    row = only_row(drawn, "school_id", school, "school sample")
    replaced = school != weight["school_id"]
    within = 1.0 / weight["student_base_weight"]
    explanation = ""
    if frame is not None and walk.language == "en":
        explanation = draw_again(frame, manifest.parameters, int(manifest.seed or 0)).explain(school)
    return walk.step(
        "sample",
        manifest,
        ("drawn",),
        drawn.filter(pl.col("school_id") == school),
        key="sample_replaced" if replaced else "sample",
        explanation=explanation,
        school=school,
        participant=weight["school_id"],
        stratum=row["stratum"],
        student=weight["student_id"],
        probability=walk.number(row["probability"]),
        base_weight=walk.number(row["base_weight"]),
        within=walk.number(within),
    )


def _frame_card(walk: Walk, manifest: Manifest, frame: pl.DataFrame, school: str) -> TraceStep:
    """Show a school's row in the frame."""
    row = only_row(frame, "school_id", school, "frame")
    return walk.step(
        "frame",
        manifest,
        ("frame",),
        frame.filter(pl.col("school_id") == school),
        enrolment=walk.number(row["enrolment"]),
        classes=walk.number(row.get("classes")),
        area=row["area"],
        province=row["province_code"],
        n=walk.number(frame.height),
    )
