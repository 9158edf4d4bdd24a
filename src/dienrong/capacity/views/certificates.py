"""The register of certificates: list, one certificate, its file, issue, correction, revocation, numbering."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.capacity import kept, operations, words
from dienrong.capacity.documents import check_address
from dienrong.capacity.forms import CorrectionForm, IssueForm, RevocationForm, SeriesForm
from dienrong.capacity.operations import Correction, IssueFacts, SeriesFacts
from dienrong.capacity.queries import access
from dienrong.capacity.queries import certificates as reads
from dienrong.capacity.queries.certificates import CertificateFilter
from dienrong.capacity.queries.people import birth_date_of
from dienrong.capacity.views import parts
from dienrong.core import clock, recording
from dienrong.core.refusals import Conflict


@require_safe
@requires("view_capacity")
def certificates(request: HttpRequest) -> HttpResponse:
    """List the certificates in charge."""
    year = request.GET.get("nam", "")
    state = request.GET.get("tinh-trang", "")
    narrowed = CertificateFilter(
        search=request.GET.get("q", "")[:80],
        year=int(year) if year.isdigit() and len(year) == 4 else None,
        state=state if state in words.CERTIFICATE_STATES else "",
    )
    page = parts.page_of(request, reads.find_certificates(request.user, narrowed))
    today = clock.today()
    context = {
        "tabs": parts.tabs(request),
        "page": page,
        "rows": [
            {"certificate": one, "state": words.certificate_state(one, today)} for one in page.object_list
        ],
        "narrowed": narrowed,
        "years": reads.years_of(request.user),
        "states": [
            ("", _("All")),
            *((name, word) for name, (_shape, word) in words.CERTIFICATE_STATES.items()),
        ],
        "may_issue": permissions.may(request.user, "issue_certificates"),
    }
    return render(request, "capacity/certificates.html", context)


@require_safe
@requires("view_capacity")
def certificate(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Show a certificate with every version and what happened."""
    found = parts.certificate_for(request, certificate_id)
    versions = list(found.versions.select_related("made_by").order_by("-version"))
    entries = recording.history_of(kind="capacity.certificate", key=str(found.pk), limit=20)
    context = {
        "certificate": found,
        "says": versions[0],
        "versions": versions,
        "state": words.certificate_state(found, clock.today()),
        "course": found.enrolment.training.course,
        "address": check_address(found, found.version),
        "entries": [{"entry": one, "word": recording.action_word(one.action)} for one in entries],
        "may_issue": access.may_issue(request.user, found.batch.training) and found.revoked_on is None,
        "sees_person": access.may_see(request.user, found.person),
    }
    return render(request, "capacity/certificate.html", context)


@require_safe
@requires("view_capacity")
def certificate_file(request: HttpRequest, certificate_id: int, version: int) -> HttpResponse:
    """Give the file of one version of a certificate."""
    found = parts.certificate_for(request, certificate_id)
    says = found.versions.filter(version=version).first()
    if says is None:
        raise Http404
    return parts.file(kept.read(says.file_hash), f"chung-nhan-{found.pk}-ban-{version}.pdf", parts.PDF)


@require_safe
@requires("issue_certificates")
def batch_file(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Give the file of all certificates of an issue."""
    found = reads.batch_of(batch_id)
    if found is None or not found.sheet_hash:
        raise Http404
    access.demand_organizer(request.user, "issue_certificates", found.training.organizer)
    return parts.file(kept.read(found.sheet_hash), f"chung-nhan-dot-{found.pk}.pdf", parts.PDF)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("issue_certificates")
def issue(request: HttpRequest, training_id: int) -> HttpResponse:
    """Begin an issue; the work goes on in the background with its progress."""
    training = parts.training_for(request, training_id)
    access.demand_organizer(request.user, "issue_certificates", training.organizer)
    organizer = training.organizer
    initial = {"issued_on": clock.today(), "place": organizer.name if organizer is not None else ""}
    form = IssueForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        facts = IssueFacts(
            **form.cleaned_data, address=request.build_absolute_uri(reverse("capacity:look_up"))
        )
        try:
            operations.start_issue(training=training, facts=facts, by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(
                request, _("The certificates are being made; the progress stands under “Background work”.")
            )
            return redirect("jobs:list")
    waiting = reads.waiting_for(training)
    page = parts.form_page(
        form,
        title=_("Issue certificates"),
        button=_("Issue"),
        back=reverse("capacity:training", args=[training.pk]),
        lead=_("%(course)s · %(n)s people wait for a certificate")
        % {"course": training.course.name, "n": waiting.count()},
    )
    return render(request, "capacity/form.html", page, status=422 if form.errors else 200)


def _issuable(request: HttpRequest, key: int) -> Any:
    """Give a certificate whose issuer the person is."""
    found = parts.certificate_for(request, key)
    access.demand_organizer(request.user, "issue_certificates", found.batch.training.organizer)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@requires("issue_certificates")
def correct(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Correct a certificate as a new version."""
    found = _issuable(request, certificate_id)
    says = reads.version_of(found)
    initial = {
        "holder_name": says.holder_name,
        "birth_date": birth_date_of(says.sealed_birth_date),
        "workplace": says.workplace,
    }
    form = CorrectionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            operations.correct_certificate(
                certificate=found, correction=Correction(**form.cleaned_data), by=request.user
            )
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(
                request, _("The corrected version is in the register; print it and take the old one back.")
            )
            return redirect("capacity:certificate", found.pk)
    back = reverse("capacity:certificate", args=[found.pk])
    page = parts.form_page(
        form, title=_("Correct the certificate"), button=_("Make a new version"), back=back, lead=found.number
    )
    return render(request, "capacity/form.html", page, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("issue_certificates")
def revoke(request: HttpRequest, certificate_id: int) -> HttpResponse:
    """Revoke a certificate."""
    found = _issuable(request, certificate_id)
    form = RevocationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.revoke_certificate(certificate=found, by=request.user, **form.cleaned_data)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The certificate is revoked; the public page says so from now on."))
            return redirect("capacity:certificate", found.pk)
    back = reverse("capacity:certificate", args=[found.pk])
    page = parts.form_page(
        form,
        title=_("Revoke the certificate"),
        button=_("Revoke"),
        back=back,
        lead=f"{found.number} · {found.person.full_name}",
    )
    return render(
        request, "capacity/form.html", page | {"is_dangerous": True}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("issue_certificates")
def series(request: HttpRequest) -> HttpResponse:
    """Show and set the numbering of certificates."""
    organizers = parts.organizers_for(request.user, "issue_certificates")
    initial = {"year": clock.today().year}
    form = SeriesForm(request.POST or None, organizers=organizers, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        values["organizer"] = parts.organizer_of(values["organizer"])
        try:
            operations.set_series(facts=SeriesFacts(**values), by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The numbering is set."))
            return redirect("capacity:series")
    context = {"tabs": parts.tabs(request), "form": form, "series": reads.series_for(request.user)}
    return render(request, "capacity/series.html", context, status=422 if form.errors else 200)
