"""The page on which the ministry records one decision about one administrative unit."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dienrong.accounts.permissions import requires, scope_of
from dienrong.core import clock
from dienrong.core.days import read_day
from dienrong.registry import operations, queries
from dienrong.registry.unit_forms import UnitChangeForm
from dienrong.registry.views.events import decision_of
from dienrong.registry.views.steps import Steps, take
from dienrong.registry.views.units import address_of

SCHOOLS_SHOWN = 20


@require_http_methods(["GET", "POST"])
@requires("change_units")
def change_unit(request: HttpRequest, level: str, code: str, since: str) -> HttpResponse:
    """Change a unit by a decision: what it would change first, then it is written."""
    begun, today = read_day(since), clock.today()
    found = queries.unit_by_key(level, code, begun) if begun else None
    if found is None or found.level not in operations.UNIT_KINDS:
        raise Http404
    form = UnitChangeForm(
        request.POST or None, unit=found, provinces=queries.provinces_in(scope_of(request.user), today)
    )

    def given() -> dict[str, Any]:
        return {"change": form.change(), "decision": decision_of(form), "by": request.user}

    def show(planned: operations.PlannedUnitChange) -> dict[str, Any]:
        return {
            "before": found,
            "after": planned.after,
            "ending": planned.ending,
            "n_schools": len(planned.schools),
            "schools": planned.schools[:SCHOOLS_SHOWN],
        }

    return take(
        request,
        Steps(
            template="registry/unit_change.html",
            forms=[form],
            plan=lambda: operations.plan_unit_change(**given()),
            show=show,
            act=lambda: address_of(operations.change_unit(**given()), today),
            done=_("The decision about the unit is recorded."),
            context={
                "unit": found,
                "title": _("Change %(name)s") % {"name": found.full_name},
                "back": address_of(found, today),
            },
        ),
    )
