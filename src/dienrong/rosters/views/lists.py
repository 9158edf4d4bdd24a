"""Pages of lists: the schools with the size of their rosters, and the roster of one school."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.core.formats import day_text, number_text
from dienrong.registry.models import School
from dienrong.registry.queries import school_by_id
from dienrong.rosters import charge, codes, opened, operations, queries, rows, workbooks
from dienrong.rosters.models import PersonKind, StaffPlace, StudentPlace, VaultAccess

ROWS_PER_PAGE = 50
LINES_PER_PAGE = 100
MOST_FOUND = 200
TABS = ("students", "teachers", "managers", "accesses")
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a school's roster is asked for."""

    school: School
    school_year: str
    tab: str
    class_name: str

    @property
    def kind(self) -> str:
        """Whose identities the tab shows."""
        return PersonKind.STUDENT if self.tab == "students" else PersonKind.STAFF

    def places(self) -> Any:
        """Give the places that the tab lists."""
        if self.tab == "students":
            return queries.students_of(self.school, self.school_year, class_name=self.class_name)
        role = StaffPlace.Role.TEACHER if self.tab == "teachers" else StaffPlace.Role.MANAGER
        return queries.staff_of(self.school, self.school_year, role)

    def address(self, **changes: str) -> str:
        """Give the address of this list with changes."""
        query = {"tab": self.tab, "year": self.school_year, "class": self.class_name} | changes
        filled = {name: value for name, value in query.items() if value}
        return f"{reverse('rosters:school', args=[self.school.school_id])}?{urlencode(filled)}"


@require_GET
@requires("view_rosters")
def schools(request: HttpRequest) -> HttpResponse:
    """List the schools of the reader's units with their classes, pupils, teachers and managers."""
    scope = charge.scope_with(request.user, "view_rosters")
    if len(scope.schools) == 1 and not (scope.is_national or scope.provinces or scope.communes):
        return redirect("rosters:school", next(iter(scope.schools)))
    year = asked_year(request)
    search, state = request.GET.get("q", "").strip()[:80], request.GET.get("state", "")
    found = queries.schools_of(scope, year, search=search, only_missing=state == "missing")
    n_missing = queries.n_missing(scope, year)
    paginator = Paginator(found, ROWS_PER_PAGE)
    if state == "missing" and not search:
        paginator.count = n_missing  # the same count is not asked twice
    page = paginator.get_page(request.GET.get("page"))
    page.object_list = list(page.object_list)
    queries.put_counts(page.object_list, year)
    context = {
        "page": page,
        "year": year,
        "years": years(),
        "q": search,
        "state": state,
        "n_missing": n_missing,
        "lead": ngettext(
            "%(n)s school has no list of pupils for %(year)s yet",
            "%(n)s schools have no list of pupils for %(year)s yet",
            n_missing,
        )
        % {"n": number_text(n_missing), "year": year},
        "may_manage": bool(charge.scope_with(request.user, "manage_vault").roles),
    }
    return render(request, "rosters/schools.html", context)


@never_cache
@sensitive_post_parameters("q")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("view_rosters")
def school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Show the roster of a school; a POST searches by name, so that no name stands in an address."""
    asked = asked_list(request, school_id)
    may_open = charge.may_at(request.user, "view_identities", asked.school)
    reason = opened.reason_for(request, asked.school) if may_open else ""
    words = request.POST.get("q", "").strip()[:80] if request.method == "POST" and reason else ""
    context = {
        "asked": asked,
        "school": asked.school,
        "years": years(),
        "tabs": tabs(request, asked),
        "may_open": may_open,
        "may_change": charge.may_at(request.user, "change_rosters", asked.school),
        "is_open": bool(reason),
        "reasons": VaultAccess.Reason.choices,
        "words": words,
    }
    if asked.tab == "accesses":
        accesses = queries.accesses_of(asked.school)
        context["page"] = Paginator(accesses, ROWS_PER_PAGE).get_page(request.GET.get("page"))
        return render(request, "rosters/accesses_of_school.html", context)
    context["classes"] = (
        queries.classes_of(asked.school, asked.school_year) if asked.tab == "students" else []
    )
    context["page"] = lines_page(request, asked, reason, words)
    return render(request, "rosters/school.html", context)


@require_POST
@requires("view_rosters")
def names(request: HttpRequest, school_id: str) -> HttpResponse:
    """Open or close the names of a school in this browser."""
    asked = asked_list(request, school_id)
    charge.demand_at(request.user, "view_identities", asked.school)
    if request.POST.get("close"):
        opened.close(request)
        messages.success(request, _("The names are hidden again."))
        return redirect(safe_back(request, asked))
    reason = request.POST.get("reason", "")
    if reason not in VaultAccess.Reason.values:
        raise operations.NoReason(
            _("Names are opened for a stated reason."), hint=_("Choose the reason and open the names again.")
        )
    opened.open_for(request, asked.school, reason)
    return redirect(safe_back(request, asked))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("view_rosters")
def excel(request: HttpRequest, school_id: str) -> HttpResponse:
    """Save a list as an Excel file: under study ids, or by POST with names, which is written down."""
    asked = asked_list(request, school_id)
    if asked.tab == "accesses":
        raise Http404
    places = list(asked.places())
    identities = None
    if request.method == "POST":
        identities = operations.open_identities(
            school=asked.school,
            kind=asked.kind,
            study_ids=[rows.owner_of(place) for place in places],
            by=request.user,
            action=VaultAccess.Action.EXPORTED,
            reason=request.POST.get("reason") or opened.reason_for(request, asked.school),
        )
    found = rows.lines(places, identities)
    columns, cells = sheet(asked, found, with_names=identities is not None)
    title = " · ".join(part for part in (asked.school.name, asked.class_name, asked.school_year) if part)
    source = (
        _("Personal data: keep this file closed and delete it when the work is done.")
        if identities is not None
        else _("Without names: study ids only.")
    )
    data = workbooks.class_list(title=title, source=source, columns=columns, rows=cells)
    response = HttpResponse(data, content_type=EXCEL)
    suffix = f"-{asked.class_name}" if asked.class_name.isascii() and asked.class_name.isalnum() else ""
    name = f"{asked.tab}-{asked.school.school_id}{suffix}-{asked.school_year}.xlsx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def lines_page(request: HttpRequest, asked: Asked, reason: str, words: str) -> Any:
    """Give one page of lines; with names open everybody asked for is opened, sorted, then cut into pages."""
    if not reason:
        page = Paginator(asked.places(), LINES_PER_PAGE).get_page(request.GET.get("page"))
        page.object_list = rows.lines(list(page.object_list))
        return page
    places = list(asked.places())
    identities = operations.open_identities(
        school=asked.school,
        kind=asked.kind,
        study_ids=[rows.owner_of(place) for place in places],
        by=request.user,
        action=VaultAccess.Action.SEARCHED if words else VaultAccess.Action.LIST_SHOWN,
        reason=reason,
    )
    found = rows.lines(places, identities)
    if words:
        return Paginator(rows.matching(found, words)[:MOST_FOUND], MOST_FOUND).get_page(1)
    return Paginator(found, LINES_PER_PAGE).get_page(request.GET.get("page"))


def asked_list(request: HttpRequest, school_id: str) -> Asked:
    """Find the school and what of its roster is asked for; refuse who has no business there."""
    found = school_by_id(school_id)
    if found is None:
        raise Http404
    charge.demand_at(request.user, "view_rosters", found)
    tab = request.GET.get("tab", TABS[0])
    return Asked(
        school=found,
        school_year=asked_year(request),
        tab=tab if tab in TABS else TABS[0],
        class_name=request.GET.get("class", "").strip()[:30] if tab in (TABS[0], "") else "",
    )


def asked_year(request: HttpRequest) -> str:
    """Give the school year that is asked for; the present one by default."""
    year = request.GET.get("year", "")
    return year if codes.is_school_year(year) else codes.school_year_on(clock.today())


def years() -> list[str]:
    """Offer the next school year, the present one and the four before."""
    first = int(codes.school_year_on(clock.today())[:4])
    return [f"{year}-{year + 1}" for year in range(first + 1, first - 5, -1)]


def tabs(request: HttpRequest, asked: Asked) -> list[dict[str, Any]]:
    """Make the tabs of a school's roster; who looked is shown to the school and to those who keep the vault."""
    titles = {"students": _("Pupils"), "teachers": _("Teachers"), "managers": _("Managers")}
    own = charge.may_at(request.user, "view_identities", asked.school)
    if own or charge.may_at(request.user, "manage_vault", asked.school):
        titles["accesses"] = _("Who opened names")
    elif asked.tab == "accesses":
        charge.demand_at(request.user, "manage_vault", asked.school)
    return [
        {"title": title, "url": asked.address(**{"tab": name, "class": ""}), "is_current": name == asked.tab}
        for name, title in titles.items()
    ]


def sheet(asked: Asked, found: list[rows.Line], *, with_names: bool) -> tuple[list[str], list[list[Any]]]:
    """Give the headings and cells of an Excel list."""
    columns = [_("No."), _("Study id")]
    if with_names:
        columns += [_("Full name"), _("Date of birth"), _("Code")]
    else:
        columns += [_("Year of birth")]
    columns += [_("Sex")]
    columns += (
        [_("Grade level"), _("Class"), _("State")]
        if asked.tab == "students"
        else [_("Position"), _("Subjects"), _("Grades")]
    )
    cells = []
    for number, line in enumerate(found, start=1):
        cell: list[Any] = [number, line.study_id]
        if not with_names:
            cell += [line.person.birth_year]
        elif line.identity is None:
            cell += ["", "", ""]
        else:
            born = day_text(line.identity.born)
            cell += [line.identity.full_name, born, line.identity.code]
        cell += [line.person.get_sex_display()]
        place = line.place
        cell += (
            [place.grade, place.class_name, place.get_status_display()]
            if isinstance(place, StudentPlace)
            else [place.position, place.subjects, place.grades]
        )
        cells.append(cell)
    return columns, cells


def safe_back(request: HttpRequest, asked: Asked) -> str:
    """Go back to the page of the person, or to the list."""
    person = request.POST.get("person", "")
    if person.isalnum() and len(person) <= 20:
        return reverse("rosters:person", args=[person])
    return asked.address()
