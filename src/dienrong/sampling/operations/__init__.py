"""Writes of plans, frames and draws; each is one transaction with its permission and its audit entry inside."""

from dienrong.sampling.operations.drawing import draw_sample, withdraw_plan
from dienrong.sampling.operations.freezing import commit_plan, demand_whole, freeze_frame
from dienrong.sampling.operations.planning import (
    NewPlan,
    change_design,
    change_plan,
    change_precision,
    copy_plan,
    create_plan,
    map_frame_file,
    set_exclusions,
    take_frame_file,
    take_registry,
)
from dienrong.sampling.operations.refusals import (
    FrameChanged,
    FrameUnusable,
    PlanIncomplete,
    PlanRefused,
    TooEarly,
)

__all__ = [
    "FrameChanged",
    "FrameUnusable",
    "NewPlan",
    "PlanIncomplete",
    "PlanRefused",
    "TooEarly",
    "change_design",
    "change_plan",
    "change_precision",
    "commit_plan",
    "copy_plan",
    "create_plan",
    "demand_whole",
    "draw_sample",
    "freeze_frame",
    "map_frame_file",
    "set_exclusions",
    "take_frame_file",
    "take_registry",
    "withdraw_plan",
]
