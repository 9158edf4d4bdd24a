"""Files of the room: the list of schools, an estimate as Excel and as Word."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.readiness.budget_excel import budget_workbook
from dienrong.readiness.letters import proposal
from dienrong.readiness.models import Mode
from dienrong.readiness.queries.surveys import listed
from dienrong.readiness.views import parts
from dienrong.readiness.views.boards import narrowed_by
from dienrong.readiness.views.money import budget_for
from dienrong.rosters import workbooks


@require_safe
@requires("view_readiness")
def schools_file(request: HttpRequest) -> HttpResponse:
    """Give the list of schools as Excel, narrowed as the page is."""
    cycle = parts.cycle_now()
    columns = (
        _("School code"), _("School"), _("Commune"), _("Survey"), _("Mode"), _("Students"), _("Machines needed"),
        _("Machines by the survey"), _("Passed the check"), _("Did not pass"), _("Usable"), _("Machines missing"),
        _("Headphones missing"), _("Back-up power missing"), _("Server missing"), _("Line missing"),
    )  # fmt: skip
    rows = [
        (
            one.school.school_id, one.school.name, one.school.commune.full_name, one.get_state_display(),
            str(Mode(one.mode).label), one.n_students, one.n_needed, one.n_machines, one.n_passed, one.n_failed,
            one.n_usable, one.lack_machines, one.lack_headphones, one.lack_power, one.lack_server, one.lack_network,
        )
        for one in listed(request.user, cycle, narrowed_by(request)).iterator(chunk_size=2000)
    ]  # fmt: skip
    data = workbooks.class_list(
        title=f"{_('Readiness of schools')} · {cycle.name}",
        source=_("As of %(day)s; survey of facilities, machine checks, norm of the cycle.")
        % {"day": day_text(clock.today())},
        columns=columns,
        rows=rows,
    )
    return parts.file(data, f"phong-may-{cycle.slug}.xlsx", parts.EXCEL)


@require_safe
@requires("manage_budgets")
def budget_excel(request: HttpRequest, budget_id: int) -> HttpResponse:
    """Give an estimate as Excel with live formulas."""
    found = budget_for(request, budget_id)
    lines = list(found.lines.select_related("school"))
    source = _("As of %(day)s; version %(n)s of the estimate.") % {
        "day": day_text(clock.today()),
        "n": found.version,
    }
    data = budget_workbook(found, lines, source=source)
    return parts.file(data, f"du-toan-{found.year}-{found.stream}-{found.version}.xlsx", parts.EXCEL)


@require_safe
@requires("manage_budgets")
def budget_word(request: HttpRequest, budget_id: int) -> HttpResponse:
    """Give the proposal (tờ trình) of an estimate as Word."""
    found = budget_for(request, budget_id)
    data = proposal(found, list(found.lines.select_related("school")))
    return parts.file(data, f"to-trinh-{found.year}-{found.stream}-{found.version}.docx", parts.WORD)
