"""Files: letters, the province's list, forms with or without names, labels."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from dienrong.accounts.permissions import requires
from dienrong.fieldwork.documents import forms, letters, printing, word
from dienrong.fieldwork.models import FieldSchool
from dienrong.fieldwork.operations.refusals import NotNow, note
from dienrong.fieldwork.queries import access, board
from dienrong.fieldwork.views import parts
from dienrong.fieldwork.views.boards import filters_of, place_word
from dienrong.rosters import operations as rosters
from dienrong.rosters import workbooks
from dienrong.rosters.models import PersonKind, VaultAccess


def _address(request: HttpRequest, school: FieldSchool) -> str:
    """Give the address at which a school answers."""
    return request.build_absolute_uri(reverse("fieldwork:school", args=[school.pk]))


@require_GET
@requires("view_fieldwork")
def letter(request: HttpRequest, school_id: int, ending: str) -> HttpResponse:
    """Give the letter to a school as PDF or Word."""
    school = parts.school_of(request, school_id)
    document = letters.letter(school, school.plan.fieldwork, _address(request, school))
    name = f"thu-moi-{school.school.school_id}"
    if ending == "docx":
        return parts.file(word.docx(document), f"{name}.docx", parts.WORD)
    return parts.file(printing.pdf(document), f"{name}.pdf", parts.PDF)


@require_GET
@requires("view_fieldwork")
def school_list(request: HttpRequest, plan_id: int, ending: str) -> HttpResponse:
    """Give the list of the schools that the filters name as PDF, Word or Excel."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    filters = filters_of(request)
    found = board.narrowed(access.schools_of(request.user, fieldwork), filters, fieldwork.plan.rules)
    schools = list(found.order_by("school__commune__code", "school__sort_key"))
    document = letters.province_list(schools, fieldwork, place_word(filters) or _("all units"))
    if ending == "docx":
        return parts.file(word.docx(document), "truong-trong-mau.docx", parts.WORD)
    if ending == "pdf":
        return parts.file(printing.pdf(document), "truong-trong-mau.pdf", parts.PDF)
    one = document.blocks[0]
    data = workbooks.class_list(
        title=document.title, source=document.source_line, columns=one.columns, rows=one.rows
    )
    return parts.file(data, "truong-trong-mau.xlsx", parts.EXCEL)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("view_fieldwork")
def form(request: HttpRequest, school_id: int, kind: str, ending: str) -> HttpResponse:
    """Give a form of a school: with codes alone, or by POST with names, which is written down."""
    school = parts.school_of(request, school_id)
    if kind not in forms.KINDS:
        raise Http404
    people = forms.people_of(school)
    if not people:
        raise NotNow(_("Forms are printed once people are selected."), hint=_("Select people first."))
    names = _names(request, school, people, kind) if request.method == "POST" else None
    name = f"{kind}-{school.school.school_id}"
    if ending == "xlsx":
        columns, rows = forms.cells(kind, people, names)
        title = f"{forms.KINDS[kind]} · {school.school.name}"
        data = workbooks.class_list(title=title, source=forms.source_line(names), columns=columns, rows=rows)
        return parts.file(data, f"{name}.xlsx", parts.EXCEL)
    if kind == "nhan":
        data = printing.labels_pdf(
            forms.labels(school, people, names), title=name, language=letters.language()
        )
    else:
        data = printing.pdf(forms.form(kind, school, people, names))
    return parts.file(data, f"{name}.pdf", parts.PDF)


@transaction.atomic
def _names(request: HttpRequest, school: FieldSchool, people: list[Any], kind: str) -> dict[str, Any]:
    """Open the names of the people of a form; the vault's log and the school's history keep it."""
    found = rosters.open_identities(
        school=school.school,
        kind=PersonKind.STUDENT,
        study_ids=[one.study_id for one in people],
        by=request.user,
        action=VaultAccess.Action.EXPORTED,
        reason=request.POST.get("reason", ""),
    )
    note(school, "printed", request.user, str(forms.KINDS[kind]), n=len(found))
    return found
