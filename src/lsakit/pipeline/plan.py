"""The order of a cycle's stages, and which output of which stage each one takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsakit.pipeline.options import CycleOptions

STAGES = (
    "nation", "frame", "sample", "administration", "scoring", "weights", "calibration", "values",
    "estimates", "report",
)  # fmt: skip
Place = tuple[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """One stage of one grade, or of the whole cycle.

    Parameters
    ----------
    stage : str
        Stage, one of ``STAGES``.
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
    shared: Place = ("nation", None)
    nation = {**options.nation(), "grade": grade}
    sizes = {"n_schools_per_province": options.schools_per_province, "n_students": options.n_students}

    scale = {
        "cuts": list(options.cuts),
        "scale_slope": options.scale_slope,
        "scale_intercept": options.scale_intercept,
    }

    def stage(name: str, inputs: Mapping[str, str], share: float, **extra: Any) -> PlannedStage:
        sources: dict[str, tuple[Place, str]] = {
            role: (shared if source == "shared" else (source, grade), role) for role, source in inputs.items()
        }
        return PlannedStage(
            stage=name,
            grade=grade,
            step=extra.get("step", name),
            inputs=sources,
            parameters=extra.get("parameters", {}),
            seed=options.stage_seed(name, grade) if extra.get("draws") else None,
            share=share,
        )

    return (
        stage("nation", {}, 0.30, step="nation_grade", parameters={**nation, **scale}),
        stage("frame", {"schools": "shared"}, 0.01, parameters={"grade": grade, **sizes}),
        stage(
            "sample",
            {"frame": "frame", "booklets": "shared"},
            0.08,
            parameters={**nation, **sizes},
            draws=True,
        ),
        stage(
            "administration",
            {"drawn": "sample", "lists": "sample", "pupils": "sample"},
            0.12,
            parameters=nation,
            draws=True,
        ),
        stage(
            "scoring",
            {"raw_responses": "administration", "items": "nation", "booklets": "shared"},
            0.02,
            parameters={"rule": options.scoring_rule},
        ),
        stage(
            "weights",
            {"drawn": "sample", "schools": "administration", "students": "administration"},
            0.07,
            parameters={
                "rules": options.rules,
                "n_replicates": options.n_replicates,
                "fay_factor": options.fay_factor,
            },
            draws=True,
        ),
        stage(
            "calibration",
            {
                "scored_responses": "scoring",
                "items": "nation",
                "trend_items": "nation",
                "weights": "weights",
            },
            0.10,
            parameters={"model": options.model},
        ),
        stage(
            "values",
            {
                "item_parameters": "calibration",
                "groups": "calibration",
                "scored_responses": "scoring",
                "background": "administration",
                "weights": "weights",
            },
            0.20,
            parameters={
                "n_plausible_values": options.n_plausible_values,
                "scale_slope": options.scale_slope,
                "scale_intercept": options.scale_intercept,
            },
            draws=True,
        ),
        stage(
            "estimates",
            {
                "plausible_values": "values",
                "weights": "weights",
                "replicates": "weights",
                "background": "administration",
                "truth": "nation",
            },
            0.10,
            parameters={
                "population": f"grade{grade}",
                "cuts": list(options.cuts),
                "percentiles": list(options.percentiles),
                "fay_factor": options.fay_factor,
                "minimum_students": options.minimum_students,
                "minimum_schools": options.minimum_schools,
            },
        ),
    )


def plan_report(options: CycleOptions) -> PlannedStage:
    """Plan the report over all grades.

    Parameters
    ----------
    options : CycleOptions
        The cycle.

    Returns
    -------
    PlannedStage
        The stage.
    """
    inputs: dict[str, tuple[Place, str]] = {
        f"estimates_{grade}": (("estimates", grade), "estimates") for grade in options.grades
    }
    return PlannedStage(
        stage="report",
        grade=None,
        step="report",
        inputs={**inputs, "provinces": (("nation", None), "provinces")},
        parameters={
            "titles": options.titles,
            "n_plausible_values": options.n_plausible_values,
            "n_replicates": options.n_replicates,
            "minimum_students": options.minimum_students,
            "minimum_schools": options.minimum_schools,
            "with_files": options.with_report_files,
        },
        share=1.0,
    )
