"""Files of a session: booklet, paper form, slips, tables."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts.permissions import requires
from dienrong.standards import operations
from dienrong.standards.documents import papers
from dienrong.standards.views import parts


@require_GET
@requires("view_standards")
def booklet(request: HttpRequest, pk: int, ending: str) -> HttpResponse:
    """Give the ordered item booklet as PDF or Excel."""
    found = parts.setting_or_404(pk)
    name = f"{papers.file_stem(found)}-cuon-cau-hoi.{ending}"
    if ending == "pdf":
        return parts.file(papers.booklet_pdf(found), name, parts.PDF)
    return parts.file(papers.booklet_xlsx(found), name, parts.EXCEL)


@require_GET
@requires("view_standards")
def paper_form(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an empty form for panelists who write by hand."""
    found = parts.setting_or_404(pk)
    return parts.file(papers.paper_form_pdf(found), f"{papers.file_stem(found)}-phieu-giay.pdf", parts.PDF)


@require_POST
@requires("manage_standards")
def slips(request: HttpRequest, pk: int) -> HttpResponse:
    """Print links and PINs; opening them is audited, so it is asked for by POST."""
    found = parts.setting_or_404(pk)
    opened = operations.open_slips(setting=found, by=request.user)

    def address_of(code: str) -> str:
        return request.build_absolute_uri(reverse("standards:door", args=[code]))

    content = papers.slips_pdf(found, opened, address_of)
    return parts.file(content, f"{papers.file_stem(found)}-phieu-moi.pdf", parts.PDF)


@require_GET
@requires("view_standards")
def tables(request: HttpRequest, pk: int) -> HttpResponse:
    """Give every table of the computed cuts as Excel."""
    found = parts.setting_or_404(pk)
    if not found.result:
        raise Http404
    return parts.file(papers.tables_xlsx(found), f"{papers.file_stem(found)}.xlsx", parts.EXCEL)
