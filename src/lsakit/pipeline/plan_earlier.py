"""The stages of the previous cycle: the same steps on the same register, fewer schools, other children, other items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsakit.pipeline.options import CycleOptions

PREFIX = "earlier_"
EARLIER_STAGES = (
    "earlier_instrument", "earlier_sample", "earlier_administration", "earlier_scoring", "earlier_weights",
    "earlier_calibration", "earlier_values", "linking",
)  # fmt: skip
DRAWN_AT_RANDOM = ("earlier_sample", "earlier_administration", "earlier_weights", "earlier_values")
INPUTS: Mapping[str, Mapping[str, str]] = {
    "earlier_instrument": {},
    "earlier_sample": {"frame": "frame", "booklets": "shared"},
    "earlier_administration": dict.fromkeys(("drawn", "lists", "pupils"), "earlier_sample"),
    "earlier_scoring": {
        "raw_responses": "earlier_administration", "items": "earlier_instrument", "booklets": "shared",
    },
    "earlier_weights": {
        "drawn": "earlier_sample", "schools": "earlier_administration", "students": "earlier_administration",
    },
    "earlier_calibration": {
        "scored_responses": "earlier_scoring", "items": "earlier_instrument",
        "trend_items": "earlier_instrument", "weights": "earlier_weights",
    },
    "earlier_values": {
        "item_parameters": "earlier_calibration", "groups": "earlier_calibration",
        "scored_responses": "earlier_scoring", "background": "earlier_administration",
        "weights": "earlier_weights",
    },
    "linking": {
        "item_parameters": "calibration", "scored_responses": "scoring", "weights": "weights",
        "trend_items": "nation", "earlier_item_parameters": "earlier_calibration",
        "earlier_scored_responses": "earlier_scoring", "earlier_weights": "earlier_weights",
    },
}  # fmt: skip
"""For each stage the stage from which it takes each of its inputs; "shared" is the register of all grades."""
SHARES = {
    "earlier_instrument": 0.01, "earlier_sample": 0.02, "earlier_administration": 0.01, "earlier_scoring": 0.01,
    "earlier_weights": 0.01, "earlier_calibration": 0.04, "earlier_values": 0.03, "linking": 0.01,
}  # fmt: skip
"""Rough share of a grade's time."""


def earlier_step(stage: str) -> str:
    """Name the step that computes a stage of the previous cycle.

    Parameters
    ----------
    stage : str
        Stage, one of ``EARLIER_STAGES``.

    Returns
    -------
    str
        The step of the present cycle's stage; the instrument and the link have steps of their own.

    Examples
    --------
    >>> earlier_step("earlier_values"), earlier_step("earlier_instrument"), earlier_step("linking")
    ('values', 'earlier_instrument', 'linking')
    """
    return stage if stage == "earlier_instrument" else stage.removeprefix(PREFIX)


def earlier_parameters(options: CycleOptions, grade: int) -> dict[str, dict[str, Any]]:
    """Give the parameters of each stage of the previous cycle.

    Parameters
    ----------
    options : CycleOptions
        The cycle.
    grade : int
        Grade.

    Returns
    -------
    dict of str to dict
        Parameters by stage.
    """
    nation = {**options.nation(), "grade": grade, "is_earlier": True}
    scale = {"scale_slope": options.scale_slope}
    return {
        "earlier_instrument": nation,
        "earlier_sample": {
            **nation,
            "n_schools_per_province": options.earlier_schools_per_province,
            "n_students": options.n_students,
        },
        "earlier_administration": nation,
        "earlier_scoring": {"rule": options.scoring_rule},
        "earlier_weights": {
            "rules": options.rules,
            "n_replicates": options.n_replicates,
            "fay_factor": options.fay_factor,
        },
        "earlier_calibration": {"model": options.model},
        "earlier_values": {
            "n_plausible_values": options.n_plausible_values,
            **scale,
            "scale_intercept": options.scale_intercept,
        },
        "linking": {"model": options.model, **scale},
    }
