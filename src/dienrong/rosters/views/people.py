"""The page of one person, and the forms by which a school keeps its list."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.registry.models import School
from dienrong.rosters import charge, codes, opened, operations, queries
from dienrong.rosters.forms import ConsentForm, IdentityForm, PlaceForm, StudentForm
from dienrong.rosters.models import Consent, PersonKind, VaultAccess
from dienrong.rosters.operations import DeletionReason, RowRefused
from dienrong.rosters.queries import PersonPlaces
from dienrong.rosters.views.lists import asked_list


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_rosters")
def add(request: HttpRequest, school_id: str) -> HttpResponse:
    """Put one pupil on the list of a school."""
    asked = asked_list(request, school_id)
    charge.demand_at(request.user, "change_rosters", asked.school)
    initial = {"class_name": asked.class_name}
    form = StudentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            study_id, came_over = operations.add_student(
                school=asked.school, school_year=asked.school_year, values=form.cells(), by=request.user
            )
        except RowRefused as refusal:
            form.add_problems(refusal.problems)
            if not refusal.problems:
                form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        else:
            said = _("The pupil was added.")
            if came_over:
                said = _("The pupil was added and is marked as moved at the former school.")
            messages.success(request, said)
            return redirect("rosters:person", study_id)
    return render(request, "rosters/add.html", {"form": form, "asked": asked, "school": asked.school})


@never_cache
@require_GET
@requires("view_rosters")
def person(request: HttpRequest, study_id: str) -> HttpResponse:
    """Show one person: places, and the identity where names are open."""
    found, school = find(request, study_id)
    return render(request, "rosters/person.html", page_of(request, found, school))


@never_cache
@sensitive_post_parameters()
@require_POST
@requires("change_rosters")
def place(request: HttpRequest, study_id: str, place_id: int) -> HttpResponse:
    """Change the class or the state of a pupil."""
    found, school = find(request, study_id)
    row = next((each for each in found.places if each.pk == place_id), None)
    if found.kind != PersonKind.STUDENT or row is None:
        raise Http404
    charge.demand_at(request.user, "change_rosters", row.school)
    form = PlaceForm(request.POST, prefix=str(row.pk))
    if form.is_valid():
        try:
            operations.change_place(place=row, by=request.user, **form.cleaned_data)
        except RowRefused as refusal:
            form.add_problems(refusal.problems)
        else:
            messages.success(request, _("The change is kept."))
            return redirect("rosters:person", study_id)
    return render(request, "rosters/person.html", page_of(request, found, school, place_form=form))


@never_cache
@sensitive_post_parameters()
@require_POST
@requires("view_identities")
def identity(request: HttpRequest, study_id: str) -> HttpResponse:
    """Correct the identity of a person; the names of the school are open."""
    found, school = find(request, study_id)
    charge.demand_at(request.user, "view_identities", school)
    form = IdentityForm(request.POST)
    if form.is_valid():
        try:
            operations.correct_identity(study_id=study_id, school=school, cells=form.read, by=request.user)
        except operations.IdentityTaken as refusal:
            form.add_error("personal_id", f"{refusal.sentence} {refusal.hint}".strip())
        else:
            messages.success(request, _("The identity was corrected."))
            return redirect("rosters:person", study_id)
    return render(request, "rosters/person.html", page_of(request, found, school, identity_form=form))


@require_POST
@requires("manage_vault")
def delete_identity(request: HttpRequest, study_id: str) -> HttpResponse:
    """Delete the identity behind a study id."""
    _found, school = find(request, study_id)
    operations.delete_identity(
        study_id=study_id, school=school, reason=request.POST.get("reason", ""), by=request.user
    )
    messages.success(request, _("The identity was deleted. The lists keep the study id."))
    return redirect("rosters:person", study_id)


@require_POST
@requires("change_rosters")
def consent(request: HttpRequest, study_id: str) -> HttpResponse:
    """Write down a consent."""
    found, school = find(request, study_id)
    form = ConsentForm(request.POST, kind=found.kind)
    if form.is_valid():
        operations.record_consent(study_id=study_id, school=school, by=request.user, **form.cleaned_data)
        messages.success(request, _("The consent is written down."))
        return redirect("rosters:person", study_id)
    return render(request, "rosters/person.html", page_of(request, found, school, consent_form=form))


@require_POST
@requires("change_rosters")
def withdraw(request: HttpRequest, study_id: str, consent_id: int) -> HttpResponse:
    """Write down that a consent was withdrawn today."""
    _found, school = find(request, study_id)
    row = get_object_or_404(Consent.objects.select_related("purpose"), pk=consent_id, study_id=study_id)
    operations.withdraw_consent(consent=row, school=school, withdrawn_on=clock.today(), by=request.user)
    messages.success(request, _("The withdrawal is written down."))
    return redirect("rosters:person", study_id)


def find(request: HttpRequest, study_id: str) -> tuple[PersonPlaces, School]:
    """Find a person with the places in the reader's charge, and the newest school of these; refuse strangers."""
    found = queries.find_person(study_id)
    if found is None or not found.places:
        raise Http404
    own = [row for row in found.places if charge.may_at(request.user, "view_rosters", row.school)]
    if not own:
        charge.demand_at(request.user, "view_rosters", found.places[0].school)
    return dataclasses.replace(found, places=own), own[0].school


def page_of(
    request: HttpRequest,
    found: PersonPlaces,
    school: School,
    *,
    place_form: PlaceForm | None = None,
    identity_form: IdentityForm | None = None,
    consent_form: ConsentForm | None = None,
) -> dict[str, Any]:
    """Gather what the page of a person shows; an opened identity is written down."""
    user, entry = request.user, queries.entry_of(found.person.study_id)
    may_open = charge.may_at(user, "view_identities", school)
    reason = opened.reason_for(request, school) if may_open else ""
    shown = None
    if entry is not None and reason:
        shown = operations.open_identities(
            school=school,
            kind=found.kind,
            study_ids=[found.person.study_id],
            by=user,
            action=VaultAccess.Action.PERSON_SHOWN,
            reason=reason,
        ).get(found.person.study_id)
    if shown is not None and identity_form is None:
        initial = {
            "full_name": shown.full_name,
            "birth_date": shown.born,
            "sex": found.person.sex,
            "personal_id": shown.personal_id,
            "ethnicity": shown.ethnicity,
        }
        identity_form = IdentityForm(initial=initial)
    return {
        "found": found,
        "person": found.person,
        "is_student": found.kind == PersonKind.STUDENT,
        "school": school,
        "places": [
            {
                "row": row,
                "form": place_form
                if place_form is not None and place_form.prefix == str(row.pk)
                else _place_form(row, user, found.kind),
            }
            for row in found.places
        ],
        "entry": entry,
        "identity": shown,
        "identity_form": identity_form if shown is not None else None,
        "may_open": may_open,
        "may_manage": charge.may_at(user, "manage_vault", school),
        "may_change": charge.may_at(user, "change_rosters", school),
        "reasons": VaultAccess.Reason.choices,
        "deletion_reasons": DeletionReason.choices,
        "consents": queries.consents_of(found.person.study_id),
        "consent_form": consent_form or _consent_form(found.kind),
    }


def _place_form(row: Any, user: Any, kind: str) -> PlaceForm | None:
    """Give the form of a pupil's place this year, to those who may change it."""
    is_present = row.school_year >= codes.school_year_on(clock.today())
    if kind != PersonKind.STUDENT or not is_present or not charge.may_at(user, "change_rosters", row.school):
        return None
    initial = {
        "grade": row.grade,
        "class_name": row.class_name,
        "status": row.status,
        "on_date": clock.today(),
    }
    return PlaceForm(initial=initial, prefix=str(row.pk))


def _consent_form(kind: str) -> ConsentForm | None:
    """Give the form of a consent where a purpose rests on consent."""
    if not queries.consent_purposes(kind):
        return None
    return ConsentForm(kind=kind, initial={"given_on": clock.today()})
