"""Pages of the courses and the list of trainings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.capacity import operations
from dienrong.capacity.forms import ChangeCourseForm, CourseForm, TrainingForm
from dienrong.capacity.models import Course, Kind, Training
from dienrong.capacity.operations import CourseFacts, TrainingFacts
from dienrong.capacity.queries import access
from dienrong.capacity.queries import training as reads
from dienrong.capacity.views import parts
from dienrong.capacity.words import training_state
from dienrong.core import clock
from dienrong.core.refusals import Conflict

FACTS = (
    "code", "name_vi", "name_en", "reach", "topic", "audience", "n_hours", "has_test", "pass_mark", "least_attendance",
    "is_certified", "valid_months", "partner", "legal_basis",
)  # fmt: skip


def _course(key: int) -> Course:
    """Give a course."""
    found = reads.course_of(key)
    if found is None:
        raise Http404
    return found


@require_safe
@requires("view_capacity")
def courses(request: HttpRequest) -> HttpResponse:
    """List the courses."""
    context = {
        "tabs": parts.tabs(request),
        "courses": reads.courses(),
        "may_change": permissions.may(request.user, "change_training"),
    }
    return render(request, "capacity/courses.html", context)


@require_safe
@requires("view_capacity")
def course(request: HttpRequest, course_id: int) -> HttpResponse:
    """Show a course with its trainings."""
    found = _course(course_id)
    given = reads.with_tallies(access.trainings_of(request.user).filter(course=found))
    context = {
        "tabs": parts.tabs(request),
        "course": found,
        "audience": [Kind(kind).label for kind in found.audience],
        "trainings": [{"training": one, "state": training_state(one)} for one in given],
        "may_plan": bool(parts.organizers_for(request.user, "change_training")),
        "may_change": permissions.may(request.user, "change_training")
        and (
            found.reach == Course.Reach.PROVINCIAL
            or access.scope_of(request.user, "change_training").is_national
        ),
    }
    return render(request, "capacity/course.html", context)


def _facts(form: CourseForm) -> CourseFacts:
    """Give what a form says of a course."""
    values = {name: form.cleaned_data[name] for name in FACTS}
    for name in ("pass_mark", "least_attendance"):
        values[name] = Decimal(str(values[name])).quantize(Decimal("0.01"))
    return CourseFacts(**values)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_training")
def add(request: HttpRequest) -> HttpResponse:
    """Add a course."""
    form = CourseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.add_course(facts=_facts(form), by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The course is in the catalog. Next: plan a training of it."))
            return redirect("capacity:course", made.pk)
    page = parts.form_page(form, title=_("New course"), button=_("Add"), back=reverse("capacity:courses"))
    return render(request, "capacity/form.html", page, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_training")
def change(request: HttpRequest, course_id: int) -> HttpResponse:
    """Change a course."""
    found = _course(course_id)
    initial: dict[str, Any] = {name: getattr(found, name) for name in FACTS}
    for name in ("pass_mark", "least_attendance"):
        initial[name] = float(initial[name])
    form = ChangeCourseForm(request.POST or None, initial=initial | {"is_open": found.is_open})
    if request.method == "POST" and form.is_valid():
        try:
            operations.change_course(
                course=found, facts=_facts(form), is_open=form.cleaned_data["is_open"], by=request.user
            )
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("capacity:course", found.pk)
    back = reverse("capacity:course", args=[found.pk])
    page = parts.form_page(form, title=_("Change the course"), button=_("Save"), back=back, lead=found.name)
    return render(request, "capacity/form.html", page, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_training")
def plan(request: HttpRequest, course_id: int) -> HttpResponse:
    """Plan a training of a course."""
    found = _course(course_id)
    organizers = parts.organizers_for(request.user, "change_training")
    form = TrainingForm(request.POST or None, organizers=organizers)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        values["organizer"] = parts.organizer_of(values["organizer"])
        try:
            made = operations.plan_training(course=found, facts=TrainingFacts(**values), by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The training is planned. Next: quotas, then open nominations."))
            return redirect("capacity:training", made.pk)
    back = reverse("capacity:course", args=[found.pk])
    page = parts.form_page(form, title=_("Plan a training"), button=_("Plan it"), back=back, lead=found.name)
    return render(request, "capacity/form.html", page, status=422 if form.errors else 200)


@require_safe
@requires("view_capacity")
def trainings(request: HttpRequest) -> HttpResponse:
    """List the trainings that a person may know of."""
    state = request.GET.get("tinh-trang", "")
    found = reads.with_tallies(access.trainings_of(request.user))
    chips = [("", _("All"))] + [(value, label) for value, label in Training.State.choices]
    if state in Training.State.values:
        found = found.filter(state=state)
    page = parts.page_of(request, found.order_by("-first_day", "code"))
    context = {
        "tabs": parts.tabs(request),
        "page": page,
        "rows": [{"training": one, "state": training_state(one)} for one in page.object_list],
        "chips": [
            {"title": title, "url": f"?tinh-trang={value}" if value else "?", "is_current": value == state}
            for value, title in chips
        ],
        "today": clock.today(),
        "may_change": permissions.may(request.user, "change_training"),
    }
    return render(request, "capacity/trainings.html", context)
