"""Pages of plans: what is to do, the plan in its parts, its files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts import directory, permissions
from dienrong.accounts.models import UnitKind
from dienrong.accounts.permissions import requires
from dienrong.audit.operations import record
from dienrong.core import clock, recording
from dienrong.core.formats import day_text
from dienrong.cycles.queries import all_cycles
from dienrong.followup import cards, drawing, numeric, operations, words
from dienrong.followup.forms import AdoptForm, NewPlanForm, PlanForm
from dienrong.followup.models import Plan, Task
from dienrong.followup.operations import PlanFacts
from dienrong.followup.programmes import templates
from dienrong.followup.queries import access, counting, tallies
from dienrong.followup.views import parts

TABS = ("nhiem-vu", "tien-do", "don-vi", "rui-ro", "lich-su")
FACTS = ("year", "title", "number", "legal_bases", "recipients")


@require_safe
@requires("view_tasks")
def home(request: HttpRequest) -> HttpResponse:
    """Show what waits today, and the plans that the person reads."""
    year = request.GET.get("nam", "")
    plans = access.plans_of(request.user)
    years = list(plans.order_by("-year").values_list("year", flat=True).distinct())
    if year.isdigit():
        plans = plans.filter(year=int(year))
    page = parts.page_of(request, plans)
    counts = tallies(one.pk for one in page.object_list)
    own = set(access.own_units(request.user))
    rows = [
        {
            "plan": one,
            "state": words.plan_state(one),
            "tally": counts.get(one.pk),
            "is_own": (one.unit_kind, one.unit_code) in own,
        }
        for one in page.object_list
    ]
    today = clock.today()
    duties = list(counting.due_duties(request.user)[:20])
    context = {
        "cards": cards.todays_cards(request.user),
        "rows": rows,
        "page": page,
        "chips": [
            {"title": str(one) if one else _("All years"), "url": f"?nam={one}" if one else "?", "is_current": str(one or "") == year}
            for one in (None, *years)
        ],
        "duties": [{"duty": one, "state": words.duty_state(one, today)} for one in duties],
        "may_add": permissions.may(request.user, "change_tasks"),
    }  # fmt: skip
    return render(request, "followup/home.html", context)


@require_safe
@requires("view_tasks")
def plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Show a plan: its tasks, its chart, the units that carry it, its risks, its history."""
    found = parts.plan_for(request, plan_id)
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    titles = {
        "nhiem-vu": _("Tasks"),
        "tien-do": _("Chart"),
        "don-vi": _("Units"),
        "rui-ro": _("Risks"),
        "lich-su": _("What happened"),
    }
    makers = {
        "nhiem-vu": _tasks,
        "tien-do": _chart,
        "don-vi": _units,
        "rui-ro": _risks,
        "lich-su": _history,
    }
    template = templates().get(found.programme)
    context = {
        "plan": found,
        "state": words.plan_state(found),
        "tally": tallies([found.pk]).get(found.pk),
        "template": template,
        "is_own": access.owns(request.user, found),
        "tab": tab,
        "tabs": [{"title": titles[one], "url": f"?tab={one}", "is_current": one == tab} for one in TABS],
        "bases": found.legal_bases.splitlines(),
        "recipients": found.recipients.splitlines(),
        **makers[tab](request, found),
    }
    return render(request, "followup/plan.html", context)


def _tasks(request: HttpRequest, found: Plan) -> dict[str, Any]:
    """List the tasks of a plan, of one state where the address names one."""
    today = clock.today()
    chosen = request.GET.get("tinh-trang", "")
    rows = counting.with_duties(found.tasks.all())
    if chosen == "late":
        rows = rows.filter(state__in=counting.OPEN, due_on__lt=today)
    elif chosen in Task.State.values:
        rows = rows.filter(state=chosen)
    chips = [("", _("All")), ("late", _("Late")), *Task.State.choices]
    page = parts.page_of(request, rows)
    return {
        "page": page,
        "rows": [{"task": one, "state": words.task_state(one, today)} for one in page.object_list],
        "chips": [
            {"title": title, "url": f"?tinh-trang={value}" if value else "?", "is_current": value == chosen}
            for value, title in chips
        ],
        "slips": [
            {"earlier": earlier, "later": later}
            for earlier, later in counting.slips(found)[: parts.PAGE_SIZE]
        ],
    }


def _chart(_request: HttpRequest, found: Plan) -> dict[str, Any]:
    """Lay the chart of a plan out; at most 300 tasks are drawn."""
    tasks = list(found.tasks.order_by("starts_on", "position")[:300])
    today = clock.today()
    return {
        "chart": drawing.gantt(tasks, counting.links_of(found), today),
        "rows": [{"task": one, "state": words.task_state(one, today)} for one in tasks],
    }


def _units(request: HttpRequest, found: Plan) -> dict[str, Any]:
    """Count the duties by unit, those with most late ones first."""
    rows = counting.late_units(found, access.visible_duties(request.user, found))
    page = parts.page_of(request, rows)
    return {"page": page, "rows": page.object_list, "n_units": len(rows)}


def _risks(_request: HttpRequest, found: Plan) -> dict[str, Any]:
    """List the risks of a plan, the gravest first."""
    return {
        "rows": [{"risk": one, "state": words.risk_state(one)} for one in found.risks.all()],
        "today": clock.today(),
    }


def _history(_request: HttpRequest, found: Plan) -> dict[str, Any]:
    """List what happened to a plan."""
    entries = recording.history_of(kind="followup.plan", key=str(found.pk), limit=50)
    return {"rows": [{"entry": one, "word": recording.action_word(one.action)} for one in entries]}


def _unit_choices(user: Any) -> list[tuple[str, str]]:
    """List the units for which a person makes plans."""
    found = []
    for kind, code in access.own_units(user):
        if kind == UnitKind.SCHOOL:
            continue
        is_nation = kind == UnitKind.NATION
        name = _("Ministry of Education and Training") if is_nation else directory.name_of(kind, code) or code
        found.append((f"{kind}:{code}", name))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def add(request: HttpRequest) -> HttpResponse:
    """Make a plan."""
    cycles = {one.slug: one for one in all_cycles()}
    unverified = _("not verified")
    form = NewPlanForm(
        request.POST or None,
        initial={"year": clock.today().year},
        units=_unit_choices(request.user),
        programmes=[
            (code, one.name if one.is_verified else f"{one.name} ({unverified})")
            for code, one in templates().items()
        ],
        cycles=[(slug, one.name) for slug, one in cycles.items()],
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        kind, _colon, code = values["unit"].partition(":")

        def act() -> Plan:
            return operations.make_plan(
                unit_kind=kind,
                unit_code=code,
                facts=PlanFacts(**{name: values[name] for name in FACTS}),
                programme=values["programme"],
                cycle=cycles.get(values["cycle"]),
                by=request.user,
            )

        made = parts.tried(form, act)
        if made is not None:
            messages.success(request, _("The plan is drafted. Look through its tasks, then put it in force."))
            return redirect("followup:plan", made.pk)
    return parts.form_page(
        request, form, title=_("New plan"), button=_("Draft it"), back=reverse("followup:home")
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def change(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Change what a plan says of itself."""
    found = parts.own_plan(request, plan_id)
    form = PlanForm(request.POST or None, initial={name: getattr(found, name) for name in FACTS})
    if request.method == "POST" and form.is_valid():
        facts = PlanFacts(**{name: form.cleaned_data[name] for name in FACTS})
        if parts.tried(form, lambda: operations.change_plan(plan=found, facts=facts, by=request.user)):
            messages.success(request, _("Saved."))
            return redirect("followup:plan", found.pk)
    back = reverse("followup:plan", args=[found.pk])
    return parts.form_page(
        request, form, title=_("Change the plan"), button=_("Save"), back=back, lead=found.title
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def adopt(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Put a draft in force."""
    found = parts.own_plan(request, plan_id)
    form = AdoptForm(request.POST or None, initial={"number": found.number, "adopted_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if parts.tried(form, lambda: operations.adopt_plan(plan=found, by=request.user, **values)):
            messages.success(request, _("The plan is in force. Hand its tasks to the units that carry them."))
            return redirect("followup:plan", found.pk)
    return parts.form_page(
        request,
        form,
        title=_("Put the plan in force"),
        button=_("Put in force"),
        back=reverse("followup:plan", args=[found.pk]),
        lead=found.title,
        hint=_("From now on the units below read it, and duties can be reported."),
    )


def _acted(request: HttpRequest, act: Any, done: str, to: str) -> HttpResponse:
    """Call an operation of one button; a refusal stands above the page to which the person returns."""
    form = _NoForm()
    if parts.tried(form, act) is None and form.words:
        messages.error(request, form.words)
    else:
        messages.success(request, done)
    return redirect(to)


class _NoForm:
    """Takes the refusal of an operation that has no form."""

    words = ""

    def add_error(self, _field: Any, words: str) -> None:
        """Keep the words."""
        self.words = words


@require_POST
@requires("change_tasks")
def close(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Close a plan."""
    found = parts.own_plan(request, plan_id)
    to = reverse("followup:plan", args=[found.pk])
    return _acted(
        request, lambda: operations.close_plan(plan=found, by=request.user), _("The plan is closed."), to
    )


@require_POST
@requires("change_tasks")
def delete(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Delete a draft."""
    found = parts.own_plan(request, plan_id)
    is_draft = found.state == Plan.State.DRAFT
    to = reverse("followup:home") if is_draft else reverse("followup:plan", args=[found.pk])
    return _acted(
        request, lambda: operations.delete_plan(plan=found, by=request.user), _("The draft was deleted."), to
    )


def _task_rows(found: Plan) -> list[tuple[str, ...]]:
    """Write the tasks of a plan as the document shows them."""
    return [
        (
            str(number),
            one.title,
            one.lead,
            one.support,
            f"{day_text(one.starts_on)} – {day_text(one.due_on)}",
            one.product,
        )
        for number, one in enumerate(found.tasks.all(), start=1)
    ]


@require_safe
@requires("view_tasks")
def word(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Give a plan as a Word file; an official document is Vietnamese whatever the reader's language."""
    found = parts.plan_for(request, plan_id)
    with translation.override("vi"):
        is_nation = found.unit_kind == UnitKind.NATION
        form: dict[str, Any] = {
            "agency": found.unit_name.upper(),
            "parent_agency": "" if is_nation else _("People's Committee"),
            "number": found.number.partition("/")[0].strip(),
            "symbol": found.number.partition("/")[2].strip() or "KH",
            "date": found.adopted_on,
            "place": "",
            "kind": _("Plan"),
            "bases": tuple(found.legal_bases.splitlines()),
            "recipients": tuple(found.recipients.splitlines()),
        }
        if found.unit_kind == UnitKind.PROVINCE:
            form["parent_agency"] = _("PEOPLE'S COMMITTEE OF %(unit)s") % {"unit": found.unit_name.upper()}
            form["agency"] = _("DEPARTMENT OF EDUCATION AND TRAINING")
            form["place"] = found.unit_name.removeprefix("Thành phố ").removeprefix("Tỉnh ")
        elif found.unit_kind == UnitKind.COMMUNE:
            form["parent_agency"] = _("PEOPLE'S COMMITTEE OF %(unit)s") % {"unit": found.unit_name.upper()}
            form["agency"] = _("DIVISION OF CULTURE AND SOCIETY")
        risks = "\n".join(
            f"- {one.title}: {one.prevention} {_('If it happens:')} {one.fallback}"
            for one in found.risks.all()
        )
        content = numeric.plan_document(
            title=found.title,
            form=form,
            sections=[(_("Risks and contingency plans"), risks)] if risks else [],
            columns=(_("No."), _("Task"), _("Lead unit"), _("Taking part"), _("Time"), _("Product")),
            rows=_task_rows(found),
            caption=_("Tasks"),
        )
    return _downloaded(request, found, content, f"ke-hoach-{found.pk}.docx", parts.WORD)


@require_safe
@requires("view_tasks")
def excel(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Give a plan as a workbook: its tasks, and the duties that the person reads."""
    found = parts.plan_for(request, plan_id)
    today = clock.today()
    tasks: list[tuple[Any, ...]] = [
        (number, one.title, one.lead, one.support, one.starts_on, one.due_on, one.product,
         words.task_state(one, today)["word"], one.done_on or "", one.outcome)
        for number, one in enumerate(found.tasks.all(), start=1)
    ]  # fmt: skip
    duties = [
        (one.task.title, one.unit_name, one.unit_code, one.due_on, words.duty_state(one, today)["word"],
         one.done_on or "", one.outcome)
        for one in access.visible_duties(request.user, found).select_related("task").order_by("task__position", "sort_key")
    ]  # fmt: skip
    sheets = [
        (
            _("Tasks"),
            (_("No."), _("Task"), _("Lead unit"), _("Taking part"), _("Begins on"), _("Task due on"), _("Product"), _("State"), _("Done on"), _("What came of it")),
            tasks,
        ),
        (
            _("Units"),
            (_("Task"), _("Unit"), _("Code"), _("Task due on"), _("State"), _("Done on"), _("What was done")),
            duties,
        ),
    ]  # fmt: skip
    return _downloaded(request, found, numeric.workbook(sheets), f"ke-hoach-{found.pk}.xlsx", parts.EXCEL)


def _downloaded(request: HttpRequest, found: Plan, content: bytes, name: str, kind: str) -> HttpResponse:
    """Give a file of a plan, with its entry in the log."""
    with transaction.atomic():
        record(action="followup.plan_exported", actor=request.user, obj=found, after={"file": name})
    return parts.file(content, name, kind)
