"""What pages of a plan share: its steps, its state, the table of its strata."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.core import clock
from dienrong.core.text import sort_key
from dienrong.sampling import kept, words
from dienrong.sampling.models import Plan
from dienrong.sampling.numeric import designs, frames
from dienrong.sampling.operations import demand_whole
from dienrong.sampling.operations.planning import read_frame

STATE_SHAPES = {
    Plan.State.DRAFT: "not_started",
    Plan.State.FRAME_FROZEN: "in_progress",
    Plan.State.COMMITTED: "queued",
    Plan.State.DRAWN: "done",
    Plan.State.WITHDRAWN: "cancelled",
}
ORDER = (Plan.State.DRAFT, Plan.State.FRAME_FROZEN, Plan.State.COMMITTED, Plan.State.DRAWN)


def state_of(plan: Plan) -> dict[str, str]:
    """Give the state of a plan in shape and word."""
    return {"shape": STATE_SHAPES[Plan.State(plan.state)], "word": str(plan.get_state_display())}


def steps_of(plan: Plan, current: str = "") -> list[dict[str, Any]]:
    """List the steps of a plan with address and state."""
    has_frame = hasattr(plan, "frame")
    has_population = has_frame or kept.population_path(plan).exists()
    has_numbers = bool(plan.design.get("n_schools"))
    at = ORDER.index(Plan.State(plan.state)) if plan.state in ORDER else len(ORDER)
    steps = (
        ("population", _("Population"), True),
        ("source", _("Frame"), has_population),
        ("exclusions", _("Exclusions and checks"), has_frame),
        ("design", _("Strata and numbers"), has_numbers),
        ("precision", _("Precision and cost"), has_numbers and at >= 2),
        ("freeze", _("Freeze the frame"), has_frame),
        ("commit", _("Publish the commitment"), hasattr(plan, "draw")),
        ("draw", _("Draw"), plan.state == Plan.State.DRAWN),
    )
    found = [
        {
            "name": name,
            "number": number,
            "title": title,
            "shape": "done" if is_done else "not_started",
            "word": _("done") if is_done else _("to do"),
            "url": reverse(f"sampling:{name}", args=[plan.pk]),
            "is_current": name == current,
        }
        for number, (name, title, is_done) in enumerate(steps, start=1)
    ]
    if not current:
        following = next((step for step in found if step["shape"] != "done"), None)
        if following is not None and plan.state != Plan.State.WITHDRAWN:
            following["is_next"] = True
    return found


def plan_context(plan: Plan, current: str = "") -> dict[str, Any]:
    """Give what every page of a plan shows."""
    return {
        "plan": plan,
        "state": state_of(plan),
        "steps": steps_of(plan, current),
        "step": current,
        "rules_title": str(words.RULES.get(plan.rules, plan.rules)),
        "is_draft": plan.state == Plan.State.DRAFT,
        "may_design": plan.state in (Plan.State.DRAFT, Plan.State.FRAME_FROZEN),
        "seen_at": plan.updated_at.isoformat(),
        "has_population": hasattr(plan, "frame") or kept.population_path(plan).exists(),
        "is_due": hasattr(plan, "draw") and plan.draw.source_due_at <= clock.now(),
    }


def frame_table(plan: Plan) -> Any:
    """Read the frame of a plan: the frozen one, else the population without what is left out; None without any.

    Raises
    ------
    FrameChanged
        If the frozen frame is no longer what was frozen.
    """
    if hasattr(plan, "frame"):
        demand_whole(plan)
        return read_frame(kept.frame_path(plan.frame))
    path = kept.population_path(plan)
    if not path.exists():
        return None
    return frames.narrow(read_frame(path), plan.excludes).frame


def strata_rows(plan: Plan, table: Any) -> tuple[list[dict[str, Any]], str]:
    """List the strata of a plan with what the frame holds and what is asked; or say why there are none."""
    try:
        strata = designs.strata_of(table, plan.design)
    except designs.PlanRefusedError:
        return [], _(
            "A column of the strata has no value for some schools; the checks of the frame name them."
        )
    explicit = plan.design.get("explicit") or []
    rows = [
        {
            "stratum": one,
            "title": words.stratum_title(one.label, explicit),
            "place": place,
            "share": one.n_schools / one.n_frame if one.n_schools and one.n_frame else None,
        }
        for place, one in enumerate(strata)
    ]
    return sorted(rows, key=lambda row: sort_key(str(row["title"]))), ""
