"""Forms of one school: its traits from a day on, its contacts at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dienrong.accounts.permissions import demand, may, requires, scope_of
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.registry import operations, queries
from dienrong.registry.forms import ContactsForm, TraitsForm
from dienrong.registry.models import School
from dienrong.registry.views.schools import school_of_address

PARTS = ("traits", "contacts")


@require_http_methods(["GET", "POST"])
@requires("change_contacts")
def edit_school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Change a school: a decision that holds from a day on (the province), or contacts at once (the school too)."""
    found = school_of_address(request, school_id)
    parts = _parts_of(request.user)
    part = request.GET.get("part", parts[0]) if request.method == "GET" else request.POST.get("part", "")
    part = part if part in PARTS else PARTS[0]
    if part == "traits":
        demand(request.user, "change_schools")
    scope = scope_of(request.user)
    communes = queries.communes_in(scope, clock.today(), found.province.code)
    form: Any
    if request.method == "GET":
        form = TraitsForm(school=found, communes=communes) if part == "traits" else ContactsForm.of(found)
        return _edit_page(request, found, part, form)
    form = (
        TraitsForm(request.POST, school=found, communes=communes)
        if part == "traits"
        else ContactsForm(request.POST)
    )
    if not form.is_valid():
        return _edit_page(request, found, part, form, status=422)
    try:
        if part == "traits":
            _change_traits(found, form, request.user)
        else:
            operations.change_contacts(school=found, values=form.values(), by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        return _edit_page(request, found, part, form, status=422)
    messages.success(request, _("The school is changed."))
    return redirect("registry:school", found.school_id)


def _parts_of(user: Any) -> tuple[str, ...]:
    """Name the parts that a person may change."""
    return PARTS if may(user, "change_schools") else ("contacts",)


def _change_traits(found: School, form: TraitsForm, by: Any) -> None:
    """Change the traits from the day of the decision on; a new name alone is a renaming."""
    values = form.cleaned_data
    decision = operations.Decision(
        on_date=values["on_date"], number=values["decision_number"], signed_on=values["decision_date"]
    )
    traits = form.traits()
    same_place = form.chosen_commune.pk == found.commune_id
    others = {name: value for name, value in traits.items() if value != getattr(found, name)}
    if same_place and set(others) == {"name"}:
        operations.rename_school(school=found, name=traits["name"], decision=decision, by=by)
        return
    if not same_place:
        others["commune"] = form.chosen_commune
    operations.change_school(school=found, traits=others, decision=decision, by=by)


def _edit_page(request: HttpRequest, found: School, part: str, form: Any, status: int = 200) -> HttpResponse:
    """Draw the form."""
    address = reverse("registry:edit_school", args=[found.school_id])
    titles = {"traits": _("By a decision, from a day on"), "contacts": _("Contacts and place")}
    context = {
        "school": found,
        "part": part,
        "form": form,
        "tabs": [
            {"title": titles[name], "url": f"{address}?part={name}", "is_current": name == part}
            for name in _parts_of(request.user)
        ],
    }
    return render(request, "registry/school_edit.html", context, status=status)
