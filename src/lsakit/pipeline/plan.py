"""The order of a cycle's stages, and which output of which stage each one takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lsakit.pipeline.options import CycleOptions
from lsakit.pipeline.plan_earlier import (
    DRAWN_AT_RANDOM,
    EARLIER_STAGES,
    INPUTS,
    PREFIX,
    SHARES,
    earlier_parameters,
    earlier_step,
)

STAGES = (
    "nation", "frame", "sample", "administration", "scoring", "weights", "calibration", "values",
    "estimates", "report",
)  # fmt: skip
LANGUAGE_STAGES = ("report_vi", "report_en")
ORDER = (*STAGES[:-2], *EARLIER_STAGES, "estimates", *LANGUAGE_STAGES, "report")
Place = tuple[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """One stage of one grade, or of the whole cycle.

    Parameters
    ----------
    stage : str
        Stage, one of ``ORDER``.
    grade : int or None
        Grade; None for the whole cycle.
    step : str
        Step that computes it.
    inputs : Mapping of str to (place, str)
        For each role, the stage that gives it and the role it has there.
    parameters : Mapping of str to object
        Parameters.
    seed : int or None
        Seed, where it draws at random.
    share : float
        Rough share of a grade's time, for progress.
    """

    stage: str
    grade: int | None
    step: str
    inputs: Mapping[str, tuple[Place, str]]
    parameters: Mapping[str, Any]
    seed: int | None = None
    share: float = 0.05

    @property
    def place(self) -> Place:
        """Stage and grade."""
        return self.stage, self.grade


def ref_name(place: Place) -> str:
    """Name under which a store points to the newest run of a stage.

    Parameters
    ----------
    place : (str, int or None)
        Stage and grade.

    Returns
    -------
    str
        ``"nation"`` or ``"values/grade5"``.
    """
    stage, grade = place
    return stage if grade is None else f"{stage}/grade{grade}"


def plan_nation(options: CycleOptions) -> PlannedStage:
    """Plan the stage that all grades share.

    Parameters
    ----------
    options : CycleOptions
        The cycle.

    Returns
    -------
    PlannedStage
        The stage.
    """
    return PlannedStage(
        stage="nation", grade=None, step="nation", inputs={}, parameters=options.nation(), share=1.0
    )


def plan_grade(options: CycleOptions, grade: int) -> tuple[PlannedStage, ...]:
    """Plan the stages of one grade.

    Parameters
    ----------
    options : CycleOptions
        The cycle.
    grade : int
        Grade.

    Returns
    -------
    tuple of PlannedStage
        From the grade's part of the nation to its estimates.
    """
    earlier = _earlier_stages(options, grade) if options.earlier_schools_per_province else ()
    return (
        *_field_stages(options, grade),
        *_analysis_stages(options, grade),
        *earlier,
        _estimates(options, grade),
    )


def _stage(
    name: str,
    grade: int,
    inputs: Mapping[str, str],
    parameters: Mapping[str, Any],
    *,
    share: float,
    seed: int | None = None,
) -> PlannedStage:
    """Plan one stage; each input comes from the stage that is named, in the role of the same name."""
    sources: dict[str, tuple[Place, str]] = {
        role: (("nation", None) if source == "shared" else (source, grade), role.removeprefix(PREFIX))
        for role, source in inputs.items()
    }
    step = "nation_grade" if name == "nation" else name
    return PlannedStage(
        stage=name, grade=grade, step=step, inputs=sources, parameters=parameters, seed=seed, share=share
    )


def _field_stages(options: CycleOptions, grade: int) -> tuple[PlannedStage, ...]:
    """Plan what happens up to the test day."""
    nation = {**options.nation(), "grade": grade}
    sizes = {"n_schools_per_province": options.schools_per_province, "n_students": options.n_students}
    scale = {
        "cuts": list(options.cuts),
        "scale_slope": options.scale_slope,
        "scale_intercept": options.scale_intercept,
    }
    return (
        _stage("nation", grade, {}, {**nation, **scale}, share=0.10),
        _stage("frame", grade, {"schools": "shared"}, {"grade": grade, **sizes}, share=0.01),
        _stage(
            "sample",
            grade,
            {"frame": "frame", "booklets": "shared"},
            {**nation, **sizes},
            share=0.06,
            seed=options.stage_seed("sample", grade),
        ),
        _stage(
            "administration",
            grade,
            {"drawn": "sample", "lists": "sample", "pupils": "sample"},
            nation,
            share=0.04,
            seed=options.stage_seed("administration", grade),
        ),
    )


def _analysis_stages(options: CycleOptions, grade: int) -> tuple[PlannedStage, ...]:
    """Plan what happens after the test day."""
    scored = {"raw_responses": "administration", "items": "nation", "booklets": "shared"}
    drawn = {"drawn": "sample", "schools": "administration", "students": "administration"}
    calibrated = {
        "scored_responses": "scoring", "items": "nation", "trend_items": "nation", "weights": "weights",
    }  # fmt: skip
    conditioned = {
        "item_parameters": "calibration", "groups": "calibration", "scored_responses": "scoring",
        "background": "administration", "weights": "weights",
    }  # fmt: skip
    replicates = {"n_replicates": options.n_replicates, "fay_factor": options.fay_factor}
    values = {
        "n_plausible_values": options.n_plausible_values,
        "scale_slope": options.scale_slope,
        "scale_intercept": options.scale_intercept,
    }
    seed = options.stage_seed
    return (
        _stage("scoring", grade, scored, {"rule": options.scoring_rule}, share=0.02),
        _stage(
            "weights",
            grade,
            drawn,
            {"rules": options.rules, **replicates},
            share=0.02,
            seed=seed("weights", grade),
        ),
        _stage("calibration", grade, calibrated, {"model": options.model}, share=0.30),
        _stage("values", grade, conditioned, values, share=0.25, seed=seed("values", grade)),
    )


def _earlier_stages(options: CycleOptions, grade: int) -> tuple[PlannedStage, ...]:
    """Plan the previous cycle and the link of both."""
    given = earlier_parameters(options, grade)
    stages = []
    for name, inputs in INPUTS.items():
        seed = options.stage_seed(name, grade) if name in DRAWN_AT_RANDOM else None
        planned = _stage(name, grade, inputs, given[name], share=SHARES[name], seed=seed)
        stages.append(replace(planned, step=earlier_step(name)))
    return tuple(stages)


def _estimates(options: CycleOptions, grade: int) -> PlannedStage:
    """Plan the figures of one grade, with the previous cycle's tables where there is one."""
    analysed = {
        "plausible_values": "values", "weights": "weights", "replicates": "weights", "truth": "nation",
        "background": "administration", "scored_responses": "scoring", "items": "nation", "drawn": "sample",
        "item_parameters": "calibration", "frame": "frame", "schools": "administration", "students": "administration",
    }  # fmt: skip
    figures = {
        "population": f"grade{grade}",
        "cuts": list(options.cuts),
        "percentiles": list(options.percentiles),
        "fay_factor": options.fay_factor,
        "minimum_students": options.minimum_students,
        "minimum_schools": options.minimum_schools,
        "suppression_rules": options.suppression_rules,
        "rules": options.rules,
        "scale_slope": options.scale_slope,
        "scale_intercept": options.scale_intercept,
    }
    if options.earlier_schools_per_province:
        analysed |= {
            "earlier_plausible_values": "earlier_values",
            "earlier_weights": "earlier_weights",
            "earlier_replicates": "earlier_weights",
            "earlier_background": "earlier_administration",
            "linking_errors": "linking",
        }
    return _stage("estimates", grade, analysed, figures, share=0.06)


def plan_languages(options: CycleOptions) -> tuple[PlannedStage, ...]:
    """Plan the reports, a stage per language, so that both are made side by side.

    Parameters
    ----------
    options : CycleOptions
        The cycle.

    Returns
    -------
    tuple of PlannedStage
        The stages.
    """
    inputs: dict[str, tuple[Place, str]] = {"provinces": (("nation", None), "provinces")}
    for grade in options.grades:
        for role in ("estimates", "participation"):
            inputs[f"{role}_{grade}"] = (("estimates", grade), role)
    parameters = {
        "titles": options.titles,
        "n_plausible_values": options.n_plausible_values,
        "n_replicates": options.n_replicates,
        "minimum_students": options.minimum_students,
        "minimum_schools": options.minimum_schools,
        "year": options.year,
        "earlier_year": options.earlier_year,
        "cuts": list(options.cuts),
        "with_files": options.with_report_files,
    }
    return tuple(
        PlannedStage(
            stage=stage,
            grade=None,
            step="language_reports",
            inputs=inputs,
            parameters={**parameters, "language": stage.rpartition("_")[2]},
            share=1.0,
        )
        for stage in LANGUAGE_STAGES
    )


def plan_report(options: CycleOptions) -> PlannedStage:
    """Plan the reports of all languages together.

    Parameters
    ----------
    options : CycleOptions
        The cycle.

    Returns
    -------
    PlannedStage
        The stage.
    """
    (first, *_) = plan_languages(options)
    return PlannedStage(
        stage="report",
        grade=None,
        step="report",
        inputs={
            f"outline_{name.rpartition('_')[2]}": ((name, None), "specification") for name in LANGUAGE_STAGES
        },
        parameters={**first.parameters, "language": "all"},
        share=1.0,
    )
