"""Pages of schools: a list within the reader's scope, and one school with its three tabs."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from dienrong.accounts.permissions import demand_unit, requires, scope_of
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.registry import queries

ROWS_PER_PAGE = 50
TABS = ("what", "happened", "lineage")


@require_GET
@requires("view_schools")
def schools(request: HttpRequest) -> HttpResponse:
    """List the schools of the reader's scope."""
    scope, today = scope_of(request.user), clock.today()
    filters = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "province", "commune")}
    provinces = queries.provinces_in(scope, today)
    chosen = filters["province"] or (provinces[0].code if len(provinces) == 1 else "")
    found = queries.schools_in(
        scope,
        search=filters["q"],
        province_code=filters["province"],
        commune_code=filters["commune"],
    )
    page = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = list(page.object_list)
    grades = queries.assessed_grades()
    queries.counts_of_grades(page.object_list, grades)
    n_schools = page.paginator.count
    context = {
        "page": page,
        "grades": grades,
        "provinces": provinces,
        "communes": queries.communes_in(scope, today, chosen),
        "filters": {**filters, "is_used": any(filters.values())},
        "scope_sentence": ngettext("%(n)s school in your charge", "%(n)s schools in your charge", n_schools)
        % {"n": number_text(n_schools)},
    }
    return render(request, "registry/schools.html", context)


@require_GET
@requires("view_schools")
def school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Show one school: what it is, what happened, where its data come from and go to."""
    found = queries.school_by_id(school_id)
    if found is None:
        raise Http404
    demand_unit(request.user, found.province.code, found.commune.code, found.school_id)
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    address = reverse("registry:school", args=[school_id])
    titles = {
        "what": _("What it is"),
        "happened": _("What happened"),
        "lineage": _("Where it comes from and goes to"),
    }
    context = {
        "school": found,
        "tab": tab,
        "tabs": [
            {"title": titles[name], "url": f"{address}?tab={name}", "is_current": name == tab}
            for name in TABS
        ],
        "yes_no": f"{_('yes')},{_('no')}",
        "enrolments": found.enrolments.order_by("school_year", "grade") if tab == "what" else (),
        "load": queries.last_load() if tab == "lineage" else None,
        "events": _events() if tab == "happened" else (),
    }
    return render(request, "registry/school.html", context)


def _events() -> list[dict[str, Any]]:
    """Tell in words of the loads that wrote the school's row."""
    return [
        {
            "title": _("Registry loaded"),
            "at": load.loaded_at,
            "who": str(load.loaded_by) if load.loaded_by else _("the system"),
            "text": _("%(n)s schools from %(source)s")
            % {"n": number_text(load.n_schools), "source": load.source},
        }
        for load in queries.loads()[:20]
    ]
