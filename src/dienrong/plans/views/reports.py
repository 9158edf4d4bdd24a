"""Reports: the list, the draft with the officer's words, sending, versions, files, signed copies."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts.permissions import may, requires
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.plans import kept
from dienrong.plans.composing import files
from dienrong.plans.composing.content import content_of
from dienrong.plans.composing.facts import facts_of
from dienrong.plans.composing.parts import parts_of
from dienrong.plans.definitions import INDICATORS
from dienrong.plans.forms import HeadForm, ReasonForm, SendForm, SignedForm
from dienrong.plans.models import PlanReport, ReportCall, ReportVersion
from dienrong.plans.operations import reports as operations
from dienrong.plans.operations.reports import Sending
from dienrong.plans.queries import access
from dienrong.plans.queries import reports as queries
from dienrong.plans.views import parts
from dienrong.registry.models import AdministrativeUnit


def _own(user: Any) -> AdministrativeUnit | None:
    """Give the province for which a person writes; None for the nation."""
    units = access.units_of(user, "write_plan_reports")
    row = units[0].row if units else None
    return row if isinstance(row, AdministrativeUnit) else None


@require_safe
@requires("write_plan_reports")
def home(request: HttpRequest) -> HttpResponse:
    """List what is asked for and what was sent."""
    unit = _own(request.user)
    rows = []
    for row in queries.call_rows(unit):
        reminder = queries.reminders_of(row.call).get(unit.pk) if unit is not None else None
        rows.append({"row": row, "state": parts.report_state(row.state), "reminder": reminder})
    context = {
        "tabs": parts.tabs(request),
        "unit": access.unit_of_row(unit),
        "rows": rows,
        "is_ministry": unit is None,
        "today": clock.today(),
    }
    return render(request, "plans/reports.html", context)


@require_POST
@requires("write_plan_reports")
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the report of the own unit, or go to the one that was begun."""
    call = get_object_or_404(ReportCall.objects.select_related("phase"), pk=pk)
    try:
        report = operations.begin_report(call=call, unit=_own(request.user), by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("plans:reports")
    return redirect("plans:report", report.pk)


@require_safe
@requires("view_plans")
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a report: as a draft with places for the officer's words, or what was sent."""
    found = parts.report_for(request, pk)
    return _report_page(request, found)


def _report_page(
    request: HttpRequest, found: PlanReport, *, forms: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Draw the page of a report."""
    versions = list(found.versions.select_related("sent_by"))
    is_open = found.state != PlanReport.State.SENT
    may_write = access.covers(
        access.scope_of(request.user, "write_plan_reports"), access.unit_of_row(found.unit)
    )
    context: dict[str, Any] = {
        "tabs": parts.tabs(request),
        "report": found,
        "unit": access.unit_of_row(found.unit),
        "state": parts.report_state(found.state),
        "versions": versions,
        "is_open": is_open,
        "may_write": may_write and may(request.user, "write_plan_reports"),
        "send_form": SendForm(is_correction=bool(versions)),
        "reopen_form": ReasonForm(),
        "signed_form": SignedForm(),
    }
    if is_open:
        content = _draft(found)
        newest = queries.newest_texts(found)
        asks = {one.key: one.asks for one in parts_of(is_national=found.unit is None)}
        context["content"] = content
        context["rows"] = [
            {"part": part, "text": newest.get(part["key"]), "asks": asks[part["key"]]}
            for part in content["parts"]
        ]
    else:
        context["content"] = versions[0].content
        context["rows"] = [{"part": part, "text": None, "asks": ""} for part in versions[0].content["parts"]]
    return render(request, "plans/report.html", context | (forms or {}), status=status)


def _draft(found: PlanReport) -> dict[str, Any]:
    """Write the content of a draft from what the registers say now."""
    return content_of(facts_of(found), queries.texts_of(found), queries.head_values(found))


@require_POST
@requires("write_plan_reports")
def save(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """Keep the officer's words of one part; answers a small piece of the page, or goes back to it."""
    found = parts.report_for(request, pk, "write_plan_reports")
    seen = request.POST.get("version", "")
    refusal: Refusal | None = None
    row = None
    try:
        row = operations.save_text(
            report=found,
            part=part,
            text=request.POST.get("text", ""),
            seen_version=int(seen) if seen.isdigit() else None,
            by=request.user,
        )
    except NotAllowed:
        raise
    except Refusal as problem:
        refusal = problem
    if request.headers.get("HX-Request"):
        context = {"row": row, "refusal": refusal, "part": part}
        return render(request, "plans/parts/saved.html", context)
    if refusal is not None:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your words are kept."))
    return redirect(f"{reverse('plans:report', args=[found.pk])}#{part}")


@require_POST
@requires("write_plan_reports")
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze and send a report."""
    found = parts.report_for(request, pk, "write_plan_reports")
    form = SendForm(request.POST, is_correction=found.versions.exists())
    if form.is_valid():
        said = form.cleaned_data
        try:
            operations.send_report(
                report=found,
                sending=Sending(
                    number=said["number"], signed_on=said.get("signed_on"), reason=said.get("reason", "")
                ),
                by=request.user,
            )
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(
                request,
                _(
                    "The report is sent and frozen. Download it, have it signed, and keep the signed copy here."
                ),
            )
            return redirect("plans:report", found.pk)
    return _report_page(request, found, forms={"send_form": form}, status=422)


@require_POST
@requires("write_plan_reports")
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a sent report for correction."""
    found = parts.report_for(request, pk, "write_plan_reports")
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            operations.reopen_report(report=found, reason=form.cleaned_data["reason"], by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The report is open for correction; what was sent stays as it is."))
            return redirect("plans:report", found.pk)
    return _report_page(request, found, forms={"reopen_form": form}, status=422)


@require_safe
@requires("view_plans")
def texts(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """Show every version of the officer's words of one part."""
    found = parts.report_for(request, pk)
    rows = list(found.texts.filter(part=part).select_related("saved_by"))
    if not rows:
        raise Http404
    heading = next((one.heading for one in parts_of(is_national=found.unit is None) if one.key == part), part)
    context = {"tabs": parts.tabs(request), "report": found, "rows": rows, "heading": heading}
    return render(request, "plans/texts.html", context)


@require_safe
@requires("view_plans")
def draft_file(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """Give a draft as a file."""
    found = parts.report_for(request, pk)
    content = _draft(found)
    writers = {"docx": files.word, "pdf": files.pdf, "xlsx": files.workbook}
    return parts.file(writers[ending](content), f"{_file_name(found)}-du-thao", ending)


def _file_name(found: PlanReport) -> str:
    """Name the file of a report."""
    unit = found.unit.code if found.unit is not None else "toan-quoc"
    return f"bao-cao-468-{unit}-{found.call.kind}-{found.call.last_day:%Y%m%d}"


def _version_or_404(found: PlanReport, number: int) -> ReportVersion:
    """Give a version of a report."""
    version = found.versions.filter(number=number).select_related("snapshot__unit", "sent_by").first()
    if version is None:
        raise Http404
    return version


@require_safe
@requires("view_plans")
def version(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show a version: hashes, what changed, and whether its numbers can be computed again."""
    found = parts.report_for(request, pk)
    row = _version_or_404(found, number)
    again = queries.recompute(row.snapshot)
    context = {
        "tabs": parts.tabs(request),
        "report": found,
        "version": row,
        "content": row.content,
        "again": [{"row": one, "title": INDICATORS[one.indicator].title} for one in again],
        "is_same": all(one.is_same for one in again),
        "may_write": access.covers(
            access.scope_of(request.user, "write_plan_reports"), access.unit_of_row(found.unit)
        ),
        "signed_form": SignedForm(),
    }
    return render(request, "plans/version.html", context)


@require_safe
@requires("view_plans")
def version_file(request: HttpRequest, pk: int, number: int, ending: str) -> HttpResponse:
    """Give a file of a version as it was sent."""
    found = parts.report_for(request, pk)
    row = _version_or_404(found, number)
    return parts.file(kept.read(row.files[ending]), f"{_file_name(found)}-ban-{number}", ending)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("view_plans")
def signed(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Keep the signed copy of a version, or give it."""
    if request.method != "POST":
        found = parts.report_for(request, pk)
        row = _version_or_404(found, number)
        if not row.signed_hash:
            raise Http404
        return parts.file(kept.read(row.signed_hash), f"{_file_name(found)}-ban-{number}-da-ky", "pdf")
    found = parts.report_for(request, pk, "write_plan_reports")
    row = _version_or_404(found, number)
    form = SignedForm(request.POST, request.FILES)
    if form.is_valid():
        sent = form.cleaned_data["file"]
        if sent.size > operations.LARGEST_SIGNED:
            messages.error(request, _("The file is larger than 20 MB."))
            return redirect("plans:version", found.pk, number)
        try:
            operations.keep_signed(version=row, name=sent.name or "", content=sent.read(), by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The signed copy is kept with its hash."))
    else:
        messages.error(request, _("Choose the signed copy as a PDF file."))
    return redirect("plans:version", found.pk, number)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("write_plan_reports")
def head(request: HttpRequest) -> HttpResponse:
    """Set what the reports of the own unit bear as official documents."""
    unit = _own(request.user)
    shown = queries.head_of(unit)
    initial = {name: "\n".join(value) if isinstance(value, list) else value for name, value in shown.items()}
    form = HeadForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            operations.set_head(unit=unit, values=form.values(), by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The head of your reports is set."))
            return redirect("plans:reports")
    context = parts.form_page(
        form,
        title=_("Form of the reports"),
        button=_("Save it"),
        back=reverse("plans:reports"),
        lead=_("Agency, symbol, legal bases, addressees, signature and recipients by Decree 30 of 2020."),
    )
    return render(request, "plans/form.html", context, status=422 if form.errors else 200)
