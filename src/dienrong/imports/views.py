"""The way of a file: what, which columns, what would change, accepted, taken back."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import may, requires, scope_of
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.imports import files, operations, pages, queries, samples
from dienrong.imports.columns import Target, default_value
from dienrong.imports.forms import PeopleForm, SendForm
from dienrong.imports.models import Upload

RECENT = 20


def _target(request: HttpRequest, code: str) -> Target:
    """Give a target that the person may import; to everybody else it does not exist."""
    found = queries.target_for(request.user, code)
    if found is None:
        raise Http404
    return found


def _upload(request: HttpRequest, upload_id: uuid.UUID) -> Upload:
    """Give an upload of the person; to everybody else it does not exist."""
    found = queries.upload_for(request.user, upload_id)
    if found is None:
        raise Http404
    return found


@require_GET
@requires("import_data")
def home(request: HttpRequest) -> HttpResponse:
    """Offer what can be imported, and list the person's last files."""
    targets = queries.targets_for(request.user)
    titles = {target.code: target.title for target in targets}
    recent = [row for row in queries.uploads_for(request.user)[:RECENT] if row.target in titles]
    for row in recent:
        row.title, row.badge = titles[row.target], pages.BADGES[row.state]
        row.shown_counts = [row.counts.get(name) for name in ("new", "changed", "refused")]
    context = {"targets": targets, "recent": recent, "samples": samples.offered(request.user)}
    return render(request, "imports/home.html", context)


@require_http_methods(["GET", "POST"])
@requires("import_data")
def start(request: HttpRequest, code: str) -> HttpResponse:
    """Take a file."""
    target = _target(request, code)
    today = clock.today()
    form = SendForm(request.POST or None, request.FILES or None, target=target, today=today)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            found = operations.send_in(
                by=request.user,
                target=target,
                file_name=file.name,
                data=file.read(),
                params=form.cleaned_data,
                charset=form.cleaned_data["charset"],
            )
        except (operations.FileRefused, operations.BadParameter) as caught:
            refusal = caught
        else:
            return redirect("imports:upload", upload_id=found.id)
    context = {
        "target": target,
        "form": form,
        "refusal": refusal,
        "samples": samples.offered(request.user, target),
    }
    return render(request, "imports/start.html", context, status=200 if refusal is None else 422)


@require_GET
@requires("import_data")
def template(request: HttpRequest, code: str) -> HttpResponse:
    """Give the template of a target."""
    target = _target(request, code)
    return _workbook(files.template(target), f"mau-{target.code}")


@require_GET
@requires("import_data")
def export(request: HttpRequest, code: str) -> HttpResponse:
    """Give what is kept, in the layout of the template."""
    target = _target(request, code)
    if target.export is None:
        raise Http404
    today = clock.today()
    # Texts describe a file that comes in; of what is kept they say nothing.
    asked = {
        parameter.code: request.GET.get(parameter.code) or default_value(parameter, today) or "–"
        for parameter in target.parameters
    }
    content, n_rows = files.present_data(
        target, scope_of(request.user), operations.clean_params(target, asked)
    )
    operations.record_export(by=request.user, target=target, n_rows=n_rows)
    return _workbook(content, f"hien-co-{target.code}-{today:%Y%m%d}")


@never_cache
@require_http_methods(["GET", "POST"])
@requires("import_data")
def people(request: HttpRequest, code: str) -> HttpResponse:
    """Ask what of the rosters is downloaded, and give it in the layout of the template."""
    target = _target(request, code)
    if target.export_people is None:
        raise Http404
    today, may_open = clock.today(), may(request.user, "view_identities")
    form = PeopleForm(request.POST or None, may_open=may_open, today=today)
    refusal: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            asked = form.asked()
            asked |= operations.clean_params(target, asked)
            content, n_rows = files.people_data(target, request.user, asked)
        except NotAllowed:
            raise
        except Refusal as caught:
            refusal = caught
        else:
            operations.record_export(by=request.user, target=target, n_rows=n_rows)
            return _workbook(content, f"hien-co-{target.code}-{today:%Y%m%d}")
    context = {"target": target, "form": form, "refusal": refusal, "may_open": may_open}
    return render(request, "imports/people.html", context, status=422 if form.is_bound else 200)


@require_GET
@requires("import_data")
def sample(request: HttpRequest, name: str) -> HttpResponse:
    """Give a sample file of the demonstration."""
    content = samples.sample_file(request.user, name)
    if content is None:
        raise Http404
    return _workbook(content, name)


@require_GET
@requires("import_data")
def upload(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Show where a file stands: being worked on, columns, preview, result."""
    found = _upload(request, upload_id)
    page = pages.page_of(found, request.user, request.GET)
    return render(request, page.template, page.context)


@require_GET
@requires("import_data")
def progress(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Tell the waiting page to draw itself anew once the work has ended."""
    found = _upload(request, upload_id)
    if pages.active_job(found, request.user) is not None:
        return HttpResponse(status=204)
    response = HttpResponse(status=200)
    response["HX-Redirect"] = reverse("imports:upload", args=[found.id])
    return response


@require_POST
@requires("import_data")
def match(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Set the columns and make the preview."""
    found = _upload(request, upload_id)
    mapping = {
        int(name.removeprefix("column-")): str(code)
        for name, code in request.POST.items()
        if name.startswith("column-") and name.removeprefix("column-").isdigit() and code
    }
    try:
        operations.match_and_preview(by=request.user, upload=found, mapping=mapping)
    except operations.ColumnsMissing as refusal:
        page = pages.matching_page(found, chosen=mapping, refusal=refusal)
        return render(request, page.template, page.context, status=422)
    except operations.FileRefused as refusal:
        return _back_with(request, found, refusal)
    return redirect("imports:upload", upload_id=found.id)


@require_POST
@requires("import_data")
def read_anew(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Read the file from another sheet or in another character set."""
    found = _upload(request, upload_id)
    operations.choose_reading(
        by=request.user,
        upload=found,
        sheet=request.POST.get("sheet", ""),
        charset=request.POST.get("charset", ""),
    )
    return redirect(reverse("imports:upload", args=[found.id]) + "?buoc=ghep-cot")


@require_POST
@requires("import_data")
def preview(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Make the preview anew."""
    found = _upload(request, upload_id)
    operations.start_preview(by=request.user, upload=found)
    return redirect("imports:upload", upload_id=found.id)


@require_POST
@requires("import_data")
def accept(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Write what the preview shows."""
    found = _upload(request, upload_id)
    try:
        operations.start_accepting(by=request.user, upload=found)
    except Refusal as refusal:
        return _back_with(request, found, refusal)
    return redirect("imports:upload", upload_id=found.id)


@require_POST
@requires("import_data")
def undo(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Take an accepted file back."""
    found = _upload(request, upload_id)
    try:
        operations.start_undoing(by=request.user, upload=found)
    except Refusal as refusal:
        return _back_with(request, found, refusal)
    return redirect("imports:upload", upload_id=found.id)


@require_POST
@requires("import_data")
def cancel(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Set a file aside."""
    found = _upload(request, upload_id)
    operations.cancel_upload(by=request.user, upload=found)
    messages.success(request, _("The file was set aside; nothing was changed."))
    return redirect("imports:home")


@require_GET
@requires("import_data")
def refused(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponse:
    """Give the refused rows back as the workbook that was sent, with comments."""
    found = _upload(request, upload_id)
    if not found.folder or not found.counts.get("refused"):
        raise Http404
    return _workbook(files.refused_rows(found), "dong-bi-tu-choi")


def _back_with(request: HttpRequest, found: Upload, refusal: Refusal) -> HttpResponse:
    """Show the page of a file with a refusal on top."""
    found.refresh_from_db()
    page = pages.page_of(found, request.user, request.GET)
    context: dict[str, Any] = {**page.context, "refusal": refusal}
    return render(request, page.template, context, status=409)


def _workbook(content: bytes, name: str) -> HttpResponse:
    """Send a workbook."""
    response = HttpResponse(content, content_type=files.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    response["Cache-Control"] = "no-store"
    return response
