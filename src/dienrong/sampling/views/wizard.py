"""The steps of a draft: population, source of the frame, exclusions and checks, strata, precision."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Refusal
from dienrong.core.text import sort_key
from dienrong.sampling import kept, operations, pages, queries, words
from dienrong.sampling.forms import (
    DesignForm,
    FileForm,
    MappingForm,
    PlanForm,
    PlanPart,
    PrecisionForm,
    RegistryForm,
    RuleForm,
    SchoolForm,
)
from dienrong.sampling.models import FrameExclusion, Plan
from dienrong.sampling.numeric import designs, frames
from dienrong.sampling.operations.planning import population_of, read_frame
from dienrong.sampling.views.plans import plan_of

SHOWN = 200


def _initial(plan: Plan) -> dict[str, str]:
    """Give the mark that every form of a plan carries."""
    return {"seen_at": plan.updated_at.isoformat()}


def _refuse(form: PlanPart, refusal: Refusal, field: str | None = None) -> None:
    """Put a refusal on top of a form."""
    form.add_error(field, f"{refusal.sentence} {refusal.hint}".strip())


def _page(
    request: HttpRequest, plan: Plan, step: str, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Draw the page of a step."""
    context = {**pages.plan_context(plan, step), **more}
    return render(request, f"sampling/{step}.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("change_samples")
def population(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whom the sample stands for."""
    plan = plan_of(pk)
    initial = {name: getattr(plan, name) for name in PlanForm.base_fields if name != "seen_at"}
    form = PlanForm(request.POST or None, initial=initial | _initial(plan))
    if request.method == "POST" and form.is_valid():
        seen_at = form.cleaned_data["seen_at"]
        try:
            operations.change_plan(plan=plan, values=form.values(), by=request.user, seen_at=seen_at)
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _("The population is saved."))
            return redirect("sampling:source", pk)
    return _page(request, plan, "population", {"form": form}, status=422 if form.is_bound else 200)


@require_GET
@requires("change_samples")
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose where the schools come from: the registry of a day, or a file."""
    return _source_page(request, plan_of(pk))


def _source_page(request: HttpRequest, plan: Plan, *, status: int = 200, **forms: Any) -> HttpResponse:
    """Draw the page of the source, with its two forms."""
    initial = _initial(plan) | {
        "overlap_plan": plan.source.get("overlap_plan"),
        "direction": plan.design.get("overlap") or "minimize",
    }
    table = None
    if hasattr(plan, "frame") or kept.population_path(plan).exists():
        table = read_frame(
            kept.frame_path(plan.frame) if hasattr(plan, "frame") else kept.population_path(plan)
        )
    more = {
        "registry_form": RegistryForm(initial=initial, earlier=queries.earlier_draws(plan)),
        "file_form": FileForm(initial=_initial(plan)),
        "n_schools": table.height if table is not None else None,
        "n_people": frames.people_in(table) if table is not None else None,
        "excerpt": _excerpt(table) if table is not None else None,
        **forms,
    }
    return _page(request, plan, "source", more, status=status)


def _excerpt(table: Any) -> dict[str, Any]:
    """Give the first rows of a frame in words."""
    names = [name for name in table.columns if name not in frames.OVERLAP][:9]
    rows = table.select(names).head(5).rows()
    return {
        "columns": [words.column_title(name) for name in names],
        "rows": [
            [
                "–" if cell is None else words.value_title(name, str(cell))
                for name, cell in zip(names, row, strict=True)
            ]
            for row in rows
        ],
    }


@require_POST
@requires("change_samples")
def take_registry(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the population from the registry."""
    plan = plan_of(pk)
    form = RegistryForm(request.POST, earlier=queries.earlier_draws(plan))
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            operations.take_registry(
                plan=plan,
                by=request.user,
                overlap=queries.plan_by_pk(chosen["overlap_plan"]) if chosen["overlap_plan"] else None,
                direction=chosen["direction"],
                seen_at=chosen["seen_at"],
            )
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _("The frame was made from the registry. Look at its checks."))
            return redirect("sampling:exclusions", pk)
    return _source_page(request, plan, status=422, registry_form=form)


@require_POST
@requires("change_samples")
def take_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a file as the frame."""
    plan = plan_of(pk)
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            operations.take_frame_file(
                plan=plan,
                file_name=file.name,
                data=file.read(),
                by=request.user,
                seen_at=form.cleaned_data["seen_at"],
            )
        except Refusal as refusal:
            _refuse(form, refusal, "file")
        else:
            return redirect("sampling:mapping", pk)
    return _source_page(request, plan, status=422, file_form=form)


@require_http_methods(["GET", "POST"])
@requires("change_samples")
def mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which column of the file is which."""
    plan = plan_of(pk)
    if plan.source.get("kind") != "file" or plan.state != Plan.State.DRAFT:
        return redirect("sampling:source", pk)
    try:
        columns, n_rows = frames.columns_of_file(kept.upload_path(plan.source["file"]))
    except frames.FrameRefusedError:
        messages.error(request, _("The file that was sent cannot be read any more. Send it again."))
        return redirect("sampling:source", pk)
    initial = {f"of_{name}": column for name, column in plan.source["mapping"].items()}
    initial |= {"kept": plan.source.get("kept", []), **_initial(plan)}
    form = MappingForm(request.POST or None, initial=initial, columns=columns)
    if request.method == "POST" and form.is_valid():
        try:
            operations.map_frame_file(
                plan=plan,
                mapping=form.mapping(),
                kept_columns=form.cleaned_data["kept"],
                by=request.user,
                seen_at=form.cleaned_data["seen_at"],
            )
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _("The frame was made from the file. Look at its checks."))
            return redirect("sampling:exclusions", pk)
    fields = [form[f"of_{name}"] for name in frames.STANDARD]
    more = {
        "form": form,
        "fields": fields,
        "columns": columns,
        "n_rows": n_rows,
        "file_name": plan.source["name"],
    }
    return _page(request, plan, "mapping", more, status=422 if form.is_bound else 200)


@require_GET
@requires("change_samples")
def exclusions(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is left out, the coverage, the checks of the frame."""
    return _exclusions_page(request, plan_of(pk))


def _exclusions_page(request: HttpRequest, plan: Plan, *, status: int = 200, **forms: Any) -> HttpResponse:
    """Draw the page of exclusions and checks."""
    path = kept.population_path(plan)
    if not path.exists():
        return _page(request, plan, "exclusions", {"is_empty": True})
    table = read_frame(path)
    narrowed = frames.narrow(table, plan.excludes)
    columns = [*frames.strata_columns(table), *(name for name in frames.NUMBERS if name in table.columns)]
    more = {
        "rule_form": RuleForm(initial=_initial(plan), columns=columns),
        "school_form": SchoolForm(initial=_initial(plan)),
        **forms,
        "entries": [_entry(number, entry, narrowed) for number, entry in enumerate(plan.excludes)],
        "excluded": narrowed.excluded[:SHOWN],
        "n_excluded": len(narrowed.excluded),
        "coverage": [
            {"row": row, "title": str(words.COVERAGE_REASONS[row.reason]), "is_over": _is_over(row)}
            for row in narrowed.coverage
        ],
        "narrowed": narrowed,
        "values": [(words.column_title(name), frames.values_of(table, name)[:12]) for name in columns[:12]],
        **_checks(plan, narrowed.frame),
    }
    reasons = dict(FrameExclusion.Reason.choices)
    more["excluded"] = [{"school": one, "reason": str(reasons[one.reason])} for one in more["excluded"]]
    return _page(request, plan, "exclusions", more, status=status)


def _is_over(row: frames.CoverageRow) -> bool:
    """Tell whether more is left out for a reason than its limit."""
    return row.limit is not None and row.share > row.limit


def _entry(number: int, entry: dict[str, Any], narrowed: frames.Narrowed) -> dict[str, Any]:
    """Put an exclusion into words."""
    reason = str(dict(FrameExclusion.Reason.choices).get(entry["reason"], entry["reason"]))
    if entry["kind"] == "school":
        what = _("School %(code)s") % {"code": entry["school_id"]}
    else:
        texts = {
            "is": _("%(column)s is “%(value)s”"),
            "below": _("%(column)s is below %(value)s"),
            "empty": _("%(column)s is empty or 0"),
        }
        what = texts[entry["op"]] % {
            "column": words.column_title(entry["column"]),
            "value": words.value_title(entry["column"], entry["value"]),
        }
    return {"number": number, "what": what, "reason": reason, "is_unused": number in narrowed.unused_rules}


def _checks(plan: Plan, frame: Any) -> dict[str, Any]:
    """Check the frame of a plan; before it has a number of schools, as for two in each stratum."""
    values = dict(plan.design)
    if not values.get("n_schools"):
        values |= {"explicit": [], "n_schools": 2}
    try:
        findings, checked = designs.findings_of(frame, values, totals=queries.official_totals(plan))
    except designs.PlanRefusedError as error:
        return {"findings": [], "checked": (), "check_refusal": str(error), "n_errors": 1}
    return {
        "findings": words.finding_rows(findings, values.get("explicit", [])),
        "checked": checked,
        "n_errors": sum(one.severity == "error" for one in findings),
    }


@require_POST
@requires("change_samples")
def add_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave schools out by a rule."""
    plan = plan_of(pk)
    table = population_of(plan)
    columns = [*frames.strata_columns(table), *(name for name in frames.NUMBERS if name in table.columns)]
    form = RuleForm(request.POST, columns=columns)
    if form.is_valid():
        entry = {"kind": "rule", **form.values()}
        return _add(request, plan, form, entry, "rule_form")
    return _exclusions_page(request, plan, status=422, rule_form=form)


@require_POST
@requires("change_samples")
def add_school(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave a school out by name."""
    plan = plan_of(pk)
    form = SchoolForm(request.POST)
    if form.is_valid():
        entry = {"kind": "school", **form.values()}
        return _add(request, plan, form, entry, "school_form")
    return _exclusions_page(request, plan, status=422, school_form=form)


def _add(request: HttpRequest, plan: Plan, form: PlanPart, entry: dict[str, Any], name: str) -> HttpResponse:
    """Add an exclusion, and say how many schools it meets."""
    excludes = [one for one in plan.excludes if one != entry] + [entry]
    try:
        operations.set_exclusions(
            plan=plan, excludes=excludes, by=request.user, seen_at=form.cleaned_data["seen_at"]
        )
    except Refusal as refusal:
        _refuse(form, refusal)
        return _exclusions_page(request, plan, status=422, **{name: form})
    messages.success(request, _("The exclusion is saved."))
    return redirect("sampling:exclusions", plan.pk)


@require_POST
@requires("change_samples")
def remove_exclusion(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Take an exclusion back."""
    plan = plan_of(pk)
    excludes = [entry for place, entry in enumerate(plan.excludes) if place != number]
    operations.set_exclusions(plan=plan, excludes=excludes, by=request.user)
    messages.success(request, _("The exclusion is taken back."))
    return redirect("sampling:exclusions", pk)


@require_http_methods(["GET", "POST"])
@requires("change_samples")
def design(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose strata, numbers and the rules of the draw."""
    plan = plan_of(pk)
    table = pages.frame_table(plan)
    if table is None:
        return _page(request, plan, "design", {"is_empty": True})
    strata, refusal_text = pages.strata_rows(plan, table)
    initial = DesignForm.initial_of(plan.design) | _initial(plan)
    columns = frames.strata_columns(table)
    labels = [row["stratum"].label for row in sorted(strata, key=lambda row: row["place"])]
    form = DesignForm(request.POST or None, initial=initial, columns=columns, strata=labels)
    if request.method == "POST" and form.is_valid():
        seen_at = form.cleaned_data["seen_at"]
        try:
            operations.change_design(plan=plan, values=form.design(), by=request.user, seen_at=seen_at)
        except Refusal as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _("Strata and numbers are saved."))
            return redirect("sampling:design", pk)
    asked = [row["stratum"].n_schools for row in strata]
    more = {
        "form": form,
        "strata": strata,
        "n_strata": len(strata),
        "n_asked": sum(asked) if asked and None not in asked else None,
        "n_frame": table.height,
        "n_people": frames.people_in(table),
        "strata_refusal": refusal_text,
        "explicit_title": " · ".join(words.column_title(name) for name in plan.design.get("explicit", [])),
        **(_checks(plan, table) if plan.design.get("n_schools") else {"findings": [], "n_errors": 0}),
    }
    more["findings"] = [one for one in more["findings"] if one["check"] in ("F4", "F8")]
    return _page(request, plan, "design", more, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires("change_samples")
def precision(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell the precision to expect, by what is assumed, and what it costs."""
    plan = plan_of(pk)
    table = pages.frame_table(plan)
    if table is None or not plan.design.get("n_schools"):
        return _page(request, plan, "precision", {"is_empty": True})
    form = PrecisionForm(request.POST or None, initial={**plan.precision, **_initial(plan)})
    if request.method == "POST" and form.is_valid():
        seen_at = form.cleaned_data["seen_at"]
        operations.change_precision(plan=plan, values=form.values(), by=request.user, seen_at=seen_at)
        return redirect("sampling:precision", pk)
    more: dict[str, Any] = {"form": form}
    if any(
        row["stratum"].is_short or not row["stratum"].n_schools for row in pages.strata_rows(plan, table)[0]
    ):
        more["refusal_text"] = _("Numbers and frame do not fit yet; the table of the strata shows where.")
        return _page(request, plan, "precision", more, status=422 if form.is_bound else 200)
    try:
        found = designs.precision_of(table, plan.design, plan.precision, language=get_language() or "vi")
    except designs.PlanRefusedError as error:
        more["refusal_text"] = str(error)
    else:
        explicit = plan.design.get("explicit") or []
        more |= {
            "precision": found,
            # lsakit drew it, and every text in it was escaped there.
            "drawing": mark_safe(found.figure["drawing"]),  # noqa: S308
            "strata": sorted(
                ({"row": row, "title": words.stratum_title(row.label, explicit)} for row in found.strata),
                key=lambda one: sort_key(str(one["title"])),
            ),
            "domains": [
                (words.column_title(name), sorted(rows, key=lambda row: sort_key(row.label)))
                for name, rows in found.domains
                if [name] != explicit
            ],
        }
    return _page(request, plan, "precision", more, status=422 if form.is_bound else 200)
