"""Drafts of plans: population, source of the frame, exclusions, strata, precision."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core.formats import day_text
from dienrong.core.refusals import Conflict
from dienrong.core.text import clean_text
from dienrong.cycles.models import Cycle
from dienrong.sampling import kept, queries
from dienrong.sampling.models import FrameExclusion, Plan
from dienrong.sampling.numeric import designs, draws, frames
from dienrong.sampling.operations.refusals import FrameUnusable, PlanIncomplete, PlanRefused

STATE = Plan.State
PLAN_FIELDS = (
    "title",
    "population",
    "grade",
    "phase",
    "rules",
    "school_year",
    "frame_date",
    "within",
    "n_classes",
    "n_booklets",
)
OF_THE_FRAME = frozenset({"population", "grade", "school_year", "frame_date"})
DEFAULT_DESIGN = {
    "explicit": [],
    "implicit": [],
    "n_schools": None,
    "n_students": 35,
    "allocation": "proportional",
    "zero_size": "refuse",
    "n_replacements": 2,
}
DEFAULT_PRECISION = {"icc": 0.35, "sd": 100.0, "student_rate": 1.0, "school_rate": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """What a plan is when it is made."""

    title: str
    population: str
    grade: int | None
    phase: str
    rules: str
    school_year: str
    frame_date: datetime.date
    within: str = Plan.Within.STUDENTS
    n_classes: int = 1
    n_booklets: int = 1


def hold_plan(
    plan: Plan, *, by: Any | None, states: Sequence[str], seen_at: datetime.datetime | None = None
) -> Plan:
    """Hold a plan for a change: the person may, nobody changed it meanwhile, its state allows the step.

    Raises
    ------
    Conflict
        If somebody changed the plan since ``seen_at``, or its state forbids the step.
    """
    if by is not None:
        demand(by, "change_samples")
    found = Plan.objects.select_for_update().get(pk=plan.pk)
    if seen_at is not None and found.updated_at != seen_at:
        raise Conflict(
            _("Somebody changed this plan while your page was open."),
            hint=_("Open the step again, look at what stands there, then decide."),
        )
    if found.state not in states:
        raise Conflict(
            _("This plan is “%(state)s”; this step is closed.") % {"state": found.get_state_display()},
            hint=_("What is frozen is never changed. Withdraw the plan with its reason and make a new one."),
        )
    return found


@transaction.atomic
def create_plan(*, cycle: Cycle, new: NewPlan, by: Any | None) -> Plan:
    """Make a plan as a draft; the rules of its programme give the first choices.

    Raises
    ------
    Conflict
        If a plan of the cycle has this title already.
    """
    if by is not None:
        demand(by, "change_samples")
    title = clean_text(new.title)
    _refuse_title(cycle, title, None)
    values = {**asdict(new), "title": title}
    defaults = designs.RULES.get(new.rules, designs.RULES["national"])
    plan = Plan.objects.create(
        cycle=cycle,
        created_by=by,
        design={**DEFAULT_DESIGN, **defaults},
        precision=dict(DEFAULT_PRECISION),
        **values,
    )
    record(action="sampling.plan_created", actor=by, obj=plan, after=values)
    return plan


def _refuse_title(cycle: Cycle, title: str, plan: Plan | None) -> None:
    """Refuse a title that another plan of the cycle has."""
    same = Plan.objects.filter(cycle=cycle, title=title).exclude(state=STATE.WITHDRAWN)
    if plan is not None:
        same = same.exclude(pk=plan.pk)
    if same.exists():
        raise Conflict(
            _("A plan of this cycle is called “%(title)s” already.") % {"title": title},
            hint=_("Give this plan another name."),
        )


@transaction.atomic
def change_plan(
    *, plan: Plan, values: Mapping[str, Any], by: Any | None, seen_at: datetime.datetime | None = None
) -> Plan:
    """Change whom a draft stands for; a frame made from the registry is made anew where that concerns it."""
    found = hold_plan(plan, by=by, states=(STATE.DRAFT,), seen_at=seen_at)
    after = {name: values[name] for name in PLAN_FIELDS if name in values}
    after["title"] = clean_text(after.get("title", found.title))
    _refuse_title(found.cycle, after["title"], found)
    before = {name: getattr(found, name) for name in after}
    changed = {name for name in after if before[name] != after[name]}
    if not changed:
        return found
    for name in changed:
        setattr(found, name, after[name])
    if "rules" in changed:
        found.design = {**found.design, **designs.RULES.get(found.rules, {})}
    found.save()
    record(
        action="sampling.plan_changed",
        actor=by,
        obj=found,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    if changed & OF_THE_FRAME and found.source.get("kind") == "registry":
        _write_registry(found)
    return found


@transaction.atomic
def take_registry(
    *,
    plan: Plan,
    by: Any | None,
    overlap: Plan | None = None,
    direction: str = "minimize",
    seen_at: datetime.datetime | None = None,
) -> Plan:
    """Make the population of a draft from the registry of its day.

    Raises
    ------
    FrameUnusable
        If the registry holds no school of the population on that day.
    """
    found = hold_plan(plan, by=by, states=(STATE.DRAFT,), seen_at=seen_at)
    before = found.source
    _forget_upload(found)
    found.source = {"kind": "registry", "overlap_plan": overlap.pk if overlap else None}
    found.design = {**found.design, "overlap": direction if overlap else None}
    n_schools = _write_registry(found)
    found.save(update_fields=["source", "design"])
    _drop_strange_strata(found)
    record(
        action="sampling.source_chosen",
        actor=by,
        obj=found,
        before=before,
        after={**found.source, "n_schools": n_schools},
    )
    return found


def _forget_upload(plan: Plan) -> None:
    """Delete the uploaded file of a draft once another source takes its place."""
    if plan.source.get("kind") == "file":
        kept.upload_path(plan.source["file"]).unlink(missing_ok=True)


def _write_registry(plan: Plan) -> int:
    """Write the population of a plan from the registry."""
    rows = queries.registry_rows(plan)
    if not rows:
        raise FrameUnusable(
            _("On %(day)s the registry holds no school of this population with counts of %(year)s.")
            % {"day": day_text(plan.frame_date), "year": plan.school_year},
            hint=_("Choose another day or school year, or import the counts first."),
        )
    if plan.source.get("overlap_plan"):
        _add_overlap(plan, rows)
    frames.write_population(rows, kept.population_path(plan))
    return len(rows)


def _add_overlap(plan: Plan, rows: list[dict[str, Any]]) -> None:
    """Write beside each school its probability in the earlier draw, and whether that took it."""
    from dienrong.sampling.operations.freezing import demand_whole

    earlier = queries.plan_by_pk(plan.source["overlap_plan"])
    if earlier is None or earlier.state != STATE.DRAWN:
        raise PlanIncomplete(
            _("The earlier draw with which overlap was to be controlled is withdrawn."),
            hint=_("Choose the source of the frame again."),
        )
    demand_whole(earlier)
    text = kept.record_bytes(earlier.draw).decode("utf-8")
    known = draws.previous_draw(text, kept.frame_path(earlier.frame))
    for row in rows:
        row["previous_probability"], row["previously_drawn"] = known.get(row["school_id"], (0.0, False))


@transaction.atomic
def copy_plan(*, plan: Plan, title: str, by: Any | None) -> Plan:
    """Make a new draft with everything that a plan says; its frame is made anew, nothing frozen is taken over.

    Raises
    ------
    Conflict
        If a plan of the cycle has this title already.
    PlanIncomplete
        If the file from which the frame was made is gone.
    """
    if by is not None:
        demand(by, "change_samples")
    name = clean_text(title)[:160]
    if not name:
        raise PlanIncomplete(_("A plan needs a name."), hint=_("Give this plan another name."))
    _refuse_title(plan.cycle, name, None)
    new = Plan.objects.create(
        cycle=plan.cycle,
        created_by=by,
        excludes=plan.excludes,
        design=plan.design,
        precision=plan.precision,
        source=plan.source,
        **{field: getattr(plan, field) for field in PLAN_FIELDS} | {"title": name},
    )
    record(
        action="sampling.plan_created", actor=by, obj=new, after={"title": name, "copied_from": plan.title}
    )
    if new.source.get("kind") == "registry":
        _write_registry(new)
    elif new.source.get("kind") == "file":
        _copy_file(new)
    return new


def _copy_file(plan: Plan) -> None:
    """Give a copied plan its own copy of the uploaded file, and its population."""
    path = kept.upload_path(plan.source["file"])
    if not path.exists():
        raise PlanIncomplete(
            _("The file of the earlier plan is gone."), hint=_("Make a new plan and send the file again.")
        )
    plan.source = {**plan.source, "file": kept.keep_upload(path.name, path.read_bytes())}
    plan.save(update_fields=["source"])
    if plan.source.get("is_mapped"):
        frames.map_file(
            kept.upload_path(plan.source["file"]),
            kept.population_path(plan),
            mapping=plan.source["mapping"],
            kept=plan.source["kept"],
        )


@transaction.atomic
def take_frame_file(
    *, plan: Plan, file_name: str, data: bytes, by: Any | None, seen_at: datetime.datetime | None = None
) -> Plan:
    """Keep an uploaded file as the source of a draft's frame; its columns are matched in the next step.

    Raises
    ------
    FrameUnusable
        If the file is of no kind that can be read, is empty or damaged.
    """
    found = hold_plan(plan, by=by, states=(STATE.DRAFT,), seen_at=seen_at)
    if Path(file_name).suffix.lower() not in kept.UPLOAD_ENDINGS:
        raise FrameUnusable(
            _("“%(name)s” is no file that can be read as a frame.") % {"name": file_name},
            hint=_("Send an Excel, CSV or Parquet file with one row per school."),
        )
    name = kept.keep_upload(file_name, data)
    try:
        columns, n_rows = frames.columns_of_file(kept.upload_path(name))
    except frames.FrameRefusedError as error:
        kept.upload_path(name).unlink(missing_ok=True)
        raise _unusable(error) from error
    before = found.source
    _forget_upload(found)
    found.source = {
        "kind": "file",
        "name": clean_text(file_name)[:200],
        "file": name,
        "n_rows": n_rows,
        "mapping": frames.guessed_mapping(columns),
        "kept": [],
        "is_mapped": False,
    }
    found.design = {**found.design, "overlap": None}
    found.save(update_fields=["source", "design"])
    kept.population_path(found).unlink(missing_ok=True)
    record(action="sampling.source_chosen", actor=by, obj=found, before=before, after=found.source)
    return found


def _unusable(error: frames.FrameRefusedError) -> FrameUnusable:
    """Put what is wrong with a file into words."""
    sentences = {
        "cell": _("Row %(row)s, column “%(column)s”: “%(value)s” is no number."),
        "long": _(
            "Row %(row)s, column “%(column)s”: “%(value)s” is too long for a school code (20 letters)."
        ),
        "column": _("The file has no column “%(column)s”."),
    }
    sentence = sentences[error.code] % error.facts if error.code in sentences else str(error)
    return FrameUnusable(sentence, hint=_("Correct the file and send it again."))


@transaction.atomic
def map_frame_file(
    *,
    plan: Plan,
    mapping: Mapping[str, str],
    kept_columns: Sequence[str],
    by: Any | None,
    seen_at: datetime.datetime | None = None,
) -> Plan:
    """Say which columns of the uploaded file are which, and make the population from it.

    Raises
    ------
    PlanIncomplete
        If no file was sent, or school code and number of people have no column.
    FrameUnusable
        If a cell is not what its column needs; the refusal names row and column.
    """
    found = hold_plan(plan, by=by, states=(STATE.DRAFT,), seen_at=seen_at)
    if found.source.get("kind") != "file":
        raise PlanIncomplete(_("No file was sent in yet."), hint=_("Send the file first."))
    chosen = {name: mapping[name] for name in frames.STANDARD if mapping.get(name)}
    if not {"school_id", frames.SIZE} <= set(chosen):
        raise PlanIncomplete(
            _("A frame needs a school code and a number of people."),
            hint=_("Choose the columns that hold them."),
        )
    try:
        n_schools = frames.map_file(
            kept.upload_path(found.source["file"]),
            kept.population_path(found),
            mapping=chosen,
            kept=kept_columns,
        )
    except frames.FrameRefusedError as error:
        raise _unusable(error) from error
    found.source = {**found.source, "mapping": chosen, "kept": list(kept_columns), "is_mapped": True}
    found.save(update_fields=["source"])
    _drop_strange_strata(found)
    record(
        action="sampling.columns_matched",
        actor=by,
        obj=found,
        after={"mapping": chosen, "n_schools": n_schools},
    )
    return found


def _drop_strange_strata(plan: Plan) -> None:
    """Take out of the plan the strata that the present frame has no columns for."""
    known = set(frames.strata_columns(read_frame(kept.population_path(plan))))
    explicit = [name for name in plan.design.get("explicit", []) if name in known]
    implicit = [name for name in plan.design.get("implicit", []) if name in known]
    if explicit != plan.design.get("explicit") or implicit != plan.design.get("implicit"):
        n_schools = plan.design.get("n_schools")
        total = sum(n_schools.values()) if isinstance(n_schools, dict) else n_schools
        plan.design = {**plan.design, "explicit": explicit, "implicit": implicit, "n_schools": total}
        plan.save(update_fields=["design"])


@transaction.atomic
def set_exclusions(
    *,
    plan: Plan,
    excludes: Sequence[Mapping[str, Any]],
    by: Any | None,
    seen_at: datetime.datetime | None = None,
) -> Plan:
    """Say which schools of the population are left out, by rules and by name, each with its reason.

    Raises
    ------
    PlanRefused
        If a school is named that the population does not have, or a reason is unknown.
    """
    found = hold_plan(plan, by=by, states=(STATE.DRAFT,), seen_at=seen_at)
    population = population_of(found)
    strange = [entry["reason"] for entry in excludes if entry["reason"] not in FrameExclusion.Reason.values]
    if strange:
        raise PlanRefused(_("“%(reason)s” is no reason of exclusion.") % {"reason": strange[0]})
    narrowed = frames.narrow(population, excludes)
    if narrowed.unknown:
        raise PlanRefused(
            _("The population has no school %(code)s.") % {"code": ", ".join(narrowed.unknown[:5])},
            hint=_("Check the code; leading zeros count."),
        )
    if not narrowed.n_frame:
        raise PlanRefused(
            _("These exclusions leave no school in the frame."),
            hint=_("Take back the rule that meets them all."),
        )
    before, found.excludes = found.excludes, [dict(entry) for entry in excludes]
    found.save(update_fields=["excludes"])
    record(
        action="sampling.exclusions_set",
        actor=by,
        obj=found,
        before=before,
        after={"excludes": found.excludes, "n_schools": len(narrowed.excluded)},
    )
    return found


def population_of(plan: Plan) -> Any:
    """Read the population of a plan.

    Raises
    ------
    PlanIncomplete
        If there is none yet.
    """
    path = kept.population_path(plan)
    if not path.exists():
        raise PlanIncomplete(
            _("This plan has no frame yet."), hint=_("Choose where its schools come from first.")
        )
    return read_frame(path)


def read_frame(path: Path) -> Any:
    """Read the file of a frame.

    Raises
    ------
    FrameUnusable
        If the file is gone or damaged.
    """
    try:
        return frames.read_population(path)
    except frames.FrameRefusedError as error:
        raise FrameUnusable(
            _("The list of schools of this plan cannot be read."),
            hint=_("Choose the source of the frame again, or put the file back from the backup."),
        ) from error


@transaction.atomic
def change_design(
    *, plan: Plan, values: Mapping[str, Any], by: Any | None, seen_at: datetime.datetime | None = None
) -> Plan:
    """Set strata, numbers and rules of the draw.

    Raises
    ------
    PlanRefused
        If a value is none that a plan may hold.
    """
    found = hold_plan(plan, by=by, states=(STATE.DRAFT, STATE.FRAME_FROZEN), seen_at=seen_at)
    after = {**found.design, **values}
    if after.get("n_schools"):
        try:
            designs.design_of(after)
        except designs.PlanRefusedError as error:
            raise PlanRefused(str(error)) from error
    before, found.design = found.design, after
    if before != after:
        found.save(update_fields=["design"])
        record(action="sampling.design_changed", actor=by, obj=found, before=before, after=after)
    return found


@transaction.atomic
def change_precision(
    *, plan: Plan, values: Mapping[str, Any], by: Any | None, seen_at: datetime.datetime | None = None
) -> Plan:
    """Set what is assumed and wanted of precision; it plans, and never enters the draw."""
    found = hold_plan(plan, by=by, states=(STATE.DRAFT, STATE.FRAME_FROZEN), seen_at=seen_at)
    before, found.precision = found.precision, {**found.precision, **values}
    if before != found.precision:
        found.save(update_fields=["precision"])
        record(action="sampling.precision_changed", actor=by, obj=found, before=before, after=found.precision)
    return found
