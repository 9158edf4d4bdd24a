"""What several pages of the room show: cards of data, what comes next, options and decisions in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from dienrong.core.formats import number_text
from dienrong.core.refusals import Conflict
from dienrong.scaling import adopted, queries, words
from dienrong.scaling.addresses import address
from dienrong.scaling.models import ItemDecision, ScalingRun, ScalingStudy, StudyData
from dienrong.scaling.numeric import board, results, runs, sources
from dienrong.scaling.operations.running import request_for

DEFAULTS: dict[str, Any] = {
    "model": "gpcm",
    "models": {},
    "rule": "pisa2015",
    "rule_of_values": "",
    "group": None,
    "reference_group": None,
    "weight": None,
    "senate": True,
    "dif_by": [],
    "rmsd_threshold": 0.12,
    "conditioning": [],
    "pca_share": None,
    "per_group": False,
    "reported": [],
    "release": "none",
    "release_alarm": 0.25,
    "link": "none",
    "drift": 0.5,
    "n_values": 10,
    "seed": 2026,
    "scale_mean": 500.0,
    "scale_sd": 100.0,
    "cuts": [],
    "until": "values",
}
TO_REVIEW = "to_review"


def study_row(study: ScalingStudy) -> dict[str, Any]:
    """Give a study with its data, its last run and what comes next, for the list."""
    run = study.runs.order_by("-number").first()
    return {
        "study": study,
        "has_data": queries.data_of(study) is not None,
        "run": run,
        "next": next_step(study, may_run=True),
    }


def steps_of(study: ScalingStudy) -> list[dict[str, Any]]:
    """Give the way of a study in five steps, each with its state."""
    data, run = queries.data_of(study), queries.last_done(study)
    draft = queries.draft_of(study)
    n_left = n_to_review(study, run) if run else 0
    n_decisions = queries.holding(study).count()
    is_current = run is not None and not is_changed(study, run)
    has_values = run is not None and bool(queries.manifest_of(run, "values"))
    states = [
        (_("Data"), "done" if data else "in_progress" if draft else "not_started", "data"),
        (
            _("First run"),
            "done" if run else "in_progress" if queries.open_runs(study) else "not_started",
            "runs",
        ),
        (
            _("Review of the items"),
            "not_started" if run is None else "done" if not n_left else "in_progress",
            "items",
        ),
        (
            _("Run with the decisions"),
            "not_started"
            if run is None
            else "done"
            if is_current and n_decisions
            else "in_progress"
            if not is_current
            else "done",
            "runs",
        ),
        (_("Values on the scale"), "done" if has_values and is_current else "not_started", "runs"),
    ]
    notes = {2: _("%(n)s items to look at") % {"n": number_text(n_left)} if run and n_left else ""}
    return [
        {
            "number": place + 1,
            "title": title,
            "state": state,
            "word": _state_word(state),
            "url": address(name, study),
            "note": notes.get(place, ""),
        }
        for place, (title, state, name) in enumerate(states)
    ]


def _state_word(state: str) -> str:
    """Say a state."""
    return {
        "done": _("done"),
        "in_progress": _("under way"),
        "not_started": _("not yet"),
    }[state]


def next_step(study: ScalingStudy, *, may_run: bool) -> dict[str, Any] | None:
    """Say what comes next for a study, with one button; None for those who only look."""
    data, draft = queries.data_of(study), queries.draft_of(study)
    if not may_run:
        return None
    if draft is not None:
        name = "preview" if draft.counts else "columns"
        return _next(
            _("Look at the data and freeze them"),
            _("A draft of the data waits."),
            address(name, study),
            _("Continue"),
        )
    if data is None:
        return _next(
            _("Choose the data"),
            _("From a run of the cycle, or from files."),
            address("data", study),
            _("Choose the data"),
        )
    waiting = queries.open_runs(study)
    if waiting:
        return _next(
            _("A run is under way"),
            str(waiting[0].get_state_display()),
            address("run", study, waiting[0].number),
            _("See how far it is"),
        )
    run = queries.last_done(study)
    if run is None:
        return _next(
            _("Start the first run"),
            _("The data are frozen."),
            address("run_new", study),
            _("Start a scaling run"),
        )
    if is_changed(study, run):
        return _next(
            _("Run again with the decisions"),
            _("Decisions changed since run %(number)d.") % {"number": run.number},
            address("run_new", study),
            _("Start a scaling run"),
        )
    n_left = n_to_review(study, run)
    if n_left:
        return _next(
            _("Review the items"),
            _("%(n)s items carry a flag and wait for a decision.") % {"n": number_text(n_left)},
            f"{address('items', study)}?state={TO_REVIEW}",
            _("Review the items"),
        )
    return _next(
        _("Look at the results"),
        _("No item waits for a decision."),
        address("run", study, run.number),
        _("Open run %(number)d") % {"number": run.number},
        is_done=True,
    )


def _next(title: str, text: str, url: str, button: str, *, is_done: bool = False) -> dict[str, Any]:
    """Make a card of what comes next; ``is_done`` where nothing waits for anybody."""
    return {"title": title, "text": text, "url": url, "button": button, "is_done": is_done}


def board_rows(run: ScalingRun) -> tuple[board.BoardRow, ...]:
    """Give the rows of the board of a run; none where its artefacts are gone."""
    items = run.data.artefacts.get("items", {}).get("hash", "")
    try:
        return board.rows(queries.store_path(run.study), queries.manifests_of(run), items)
    except results.ResultGoneError:
        return ()


def is_changed(study: ScalingStudy, run: ScalingRun) -> bool:
    """Tell whether decisions that change the scale were taken or withdrawn since a run; "keep" changes nothing."""
    keep = ItemDecision.Kind.KEEP
    before = {one["id"] for one in run.decisions if one["kind"] != keep}
    return before != set(queries.holding(study).exclude(kind=keep).values_list("pk", flat=True))


def n_to_review(study: ScalingStudy, run: ScalingRun | None) -> int:
    """Count the items with a flag and without a decision that holds."""
    if run is None:
        return 0
    decided = set(queries.holding(study).values_list("item", flat=True))
    return sum(bool(row.flags) and row.item not in decided for row in board_rows(run))


def headline(run: ScalingRun) -> list[dict[str, str]]:
    """Give a run in a few figures."""
    found = run.summary
    wanted = [
        ("n_students", _("students"), 0),
        ("n_items", _("items scaled"), 0),
        ("n_iterations", _("iterations of the calibration"), 0),
        ("n_rounds", _("calibrations of the release"), 0),
        ("reliability", _("EAP reliability"), 2),
        ("n_misfits", _("misfits of an item in a group"), 0),
        ("link_n_kept", _("common items that link"), 0),
    ]
    return [
        {"number": number_text(found[name], digits), "title": title}
        for name, title, digits in wanted
        if isinstance(found.get(name), int | float)
    ]


def run_row(run: ScalingRun) -> dict[str, Any]:
    """Give a run for the list."""
    return {
        "run": run,
        "seconds": queries.seconds_of(run),
        "model": words.option_value("model", run.options.get("model")),
        "n_decisions": len(run.decisions),
        "until": words.stage_title(run.options.get("until", "values")),
    }


def data_card(data: StudyData | None) -> dict[str, Any] | None:
    """Give the data of a study in words: source, columns by role, counts."""
    if data is None:
        return None
    roles = data.mapping.get("columns") or data.mapping.get("roles", {})
    is_matched = "weight" in roles
    titles = {"group": _("Group"), "weight": _("Weight"), "dif": _("DIF by"), "background": _("Background")}
    return {
        "data": data,
        "source": _("Run %(number)d of the cycle") % {"number": data.run.number}
        if data.run
        else ", ".join(one["name"] for one in data.files.values()),
        "files": [{"title": words.titled(words.FILES, role), **one} for role, one in data.files.items()],
        "roles": [
            {"title": title, "text": words.option_value(name, roles.get(name))}
            for name, title in titles.items()
        ]
        if is_matched
        else [],
        "counts": data.counts,
        "groups": data.counts.get("groups", []),
        "tables": [{"title": words.role_title(role), **one} for role, one in sorted(data.artefacts.items())],
        "is_scored": "scored_responses" in data.artefacts
        if data.artefacts
        else bool(data.mapping.get("is_scored")),
    }


def fault_rows(data: StudyData) -> list[dict[str, Any]]:
    """Give the faults of a draft in words, those of a kind together."""
    kept = data.counts.get("faults", {})
    rows: list[dict[str, Any]] = []
    for code, n in kept.get("n_by_code", {}).items():
        what, advice = words.FAULTS.get(code, (code, ""))
        own = [one for one in kept.get("kept", []) if one["code"] == code]
        rows.append(
            {
                "what": str(what),
                "advice": str(advice),
                "n": n,
                "n_hidden": max(0, n - len(own)),
                "places": [{**one, "file": words.titled(words.FILES, str(one["file"]))} for one in own],
            }
        )
    return rows


def first_options(
    study: ScalingStudy, data: StudyData, levels: adopted.AdoptedLevels | None = None
) -> dict[str, Any]:
    """Give the options that the form begins with: those of the last run, else what the columns are for.

    Adopted cut scores take the place of those of the last run.
    """
    last = study.runs.order_by("-number").first()
    present = student_columns(study, data)
    if last is not None:
        options = {**DEFAULTS, **last.options}
    else:
        roles = data.mapping.get("columns", {})
        options = {
            **DEFAULTS,
            "group": roles.get("group") or None,
            "weight": roles.get("weight") or None,
            "dif_by": list(roles.get("dif", ())),
            "conditioning": list(roles.get("background", ())),
            "link": "fixed" if study.previous else "none",
        }
    for name in ("group", "weight"):
        if options[name] not in present:
            options[name] = None
    for name in ("dif_by", "conditioning", "reported"):
        options[name] = [one for one in options[name] if one in present]
    if "scored_responses" in data.artefacts:
        options["rule_of_values"] = ""
    if levels is not None and levels.cuts:
        options["cuts"] = list(levels.cuts)
    return options


def student_columns(study: ScalingStudy, data: StudyData) -> dict[str, int]:
    """Give the columns of the students table with their numbers of different values."""
    kept = data.artefacts.get("students")
    if kept is None:
        return {}
    found = sources.columns_of_table(queries.store_path(study), kept["hash"])
    return {name: n for name, n in found if name != "student_id"}


def plan_rows(study: ScalingStudy, options: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Say which stages a run with these options would compute, or why it would be refused."""
    try:
        request, _data, _linked = request_for(study, options)
    except Conflict as refusal:
        return [], f"{refusal.sentence} {refusal.hint}".strip()
    refusal_text = runs.refusal_of(request)
    if refusal_text:
        return [], refusal_text
    plan = runs.plan_of(queries.store_path(study), request)
    return [{"title": words.stage_title(stage), "is_computed": must} for stage, must in plan.items()], ""


def option_rows(run: ScalingRun) -> list[dict[str, str]]:
    """Give the options of a run in words."""
    return [
        {"title": str(title), "value": words.option_value(name, run.options.get(name))}
        for name, title in words.OPTIONS.items()
        if name in run.options
    ]


def decision_rows(decisions: Iterable[ItemDecision]) -> list[dict[str, Any]]:
    """Give decisions in words."""
    return [{"decision": one, "details": words.decision_words(one.kind, one.details)} for one in decisions]


def snapshot_rows(run: ScalingRun) -> list[dict[str, str]]:
    """Give the decisions that a run was made with, in words."""
    titles = dict(ItemDecision.Kind.choices)
    return [
        {
            "item": str(one["item"]),
            "kind": str(titles.get(one["kind"], one["kind"])),
            "details": words.decision_words(str(one["kind"]), one),
        }
        for one in run.decisions
    ]
