"""The rule of publication of a cycle, for everyone to read; the ministry names it before the analysis."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dienrong.accounts import permissions
from dienrong.cycles.models import Cycle
from dienrong.cycles.operations import choose_suppression_rules
from dienrong.cycles.shell import cycle_of_request
from dienrong.cycles.words import SUPPRESSION_RULES
from dienrong.explorer import numeric, pages, queries

FROZEN = {Cycle.Phase.ANALYSIS, Cycle.Phase.PUBLISHED}


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the rule; take the ministry's choice."""
    cycle = cycle_of_request(request)
    may_choose = permissions.may(request.user, "change_cycle")
    if cycle is None or not (may_choose or queries.askable(request.user, cycle)):
        raise Http404
    if request.method == "POST":
        permissions.demand(request.user, "change_cycle")
        choose_suppression_rules(cycle=cycle, rules=request.POST.get("rules", ""), by=request.user)
        messages.success(request, _("The rule of publication is chosen."))
        return redirect("explorer:rules", cycle.slug)
    context = {
        "cycle": cycle,
        "rule": numeric.rule_of(cycle.suppression_rules, pages.language_now()),
        "may_choose": may_choose,
        "is_frozen": cycle.phase in FROZEN,
        "choices": [
            (name, title, name == cycle.suppression_rules) for name, title in SUPPRESSION_RULES.items()
        ],
    }
    return render(request, "explorer/rules.html", context)
