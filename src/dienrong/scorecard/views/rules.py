"""The rules with their findings, and the official totals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import demand_unit, requires, scope_of
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.core.refusals import Refusal
from dienrong.registry.queries import provinces_in
from dienrong.scorecard import operations, rule_set, words
from dienrong.scorecard.forms import TotalForm, TotalsForm
from dienrong.scorecard.models import Dimension, OfficialTotal, Severity
from dienrong.scorecard.queries import schools
from dienrong.scorecard.views import parts

ROWS_PER_PAGE = 50


@require_GET
@requires("view_scorecard")
def rules(request: HttpRequest) -> HttpResponse:
    """List every rule with its basis and how often it is broken in the person's schools."""
    counts = schools.findings_by_rule(scope_of(request.user))
    groups = [
        {
            "title": str(dimension.label),
            "rules": [
                {
                    "rule": rule,
                    "sentence": words.rule_sentence(rule),
                    "severity": str(Severity(rule.severity).label),
                    "cells": ", ".join(words.cell_title(cell) for cell in rule.cells),
                    "count": counts.get(rule.id, 0),
                }
                for rule in rule_set.rules().values()
                if rule.dimension == dimension.value
            ],
        }
        for dimension in Dimension
    ]
    return render(request, "scorecard/rules.html", {"groups": groups, "n_rules": len(rule_set.rules())})


@require_GET
@requires("view_scorecard")
def rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """List the open findings of one rule within the person's schools."""
    found = rule_set.rules().get(rule_id)
    if found is None:
        raise Http404
    rows = schools.findings_of_rule(scope_of(request.user), rule_id)
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "rule": found,
        "sentence": words.rule_sentence(found),
        "severity": str(Severity(found.severity).label),
        "dimension": str(Dimension(found.dimension).label),
        "page": page,
        "rows": parts.with_words(page.object_list),
    }
    return render(request, "scorecard/rule.html", context)


@require_http_methods(["GET", "POST"])
@requires("change_schools")
def totals(request: HttpRequest) -> HttpResponse:
    """Show, write and import official totals."""
    scope, today = scope_of(request.user), clock.today()
    names = {unit.code: unit.name for unit in provinces_in(scope, today)}
    form = TotalForm(request.POST if request.POST.get("what") == "one" else None, provinces=names)
    lines = TotalsForm(request.POST if request.POST.get("what") == "lines" else None)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            done = _write(request, form, lines, None if scope.is_national else frozenset(names))
        except operations.TotalsRefused as refused:
            done, refusal = "", refused
        if done:
            messages.success(request, done)
            return redirect("scorecard:totals")
    page = Paginator(schools.totals_in(scope), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "names": names,
        "form": form,
        "lines": lines,
        "refusal": refusal,
        "rows": _rows(page, names),
    }
    return render(request, "scorecard/totals.html", context, status=422 if request.method == "POST" else 200)


def _rows(page: Any, names: dict[str, str]) -> list[dict[str, Any]]:
    """Put totals into rows."""
    return [
        {"total": one, "province": names.get(one.province_code, one.province_code)}
        for one in page.object_list
    ]


def _write(request: HttpRequest, form: TotalForm, lines: TotalsForm, allowed: frozenset[str] | None) -> str:
    """Write what a form carries; give the sentence that says so, empty where a form is not whole."""
    if lines.is_bound:
        if not lines.is_valid():
            return ""
        given = lines.cleaned_data
        n = operations.import_totals(
            text=given["lines"], source=given["source"], by=request.user, allowed=allowed
        )
        return ngettext("%(n)s total was written.", "%(n)s totals were written.", n) % {"n": number_text(n)}
    if not form.is_valid():
        return ""
    operations.set_total(total=operations.NewTotal(**form.cleaned_data), by=request.user)
    return _("The official total was written; the province was checked anew.")


@require_POST
@requires("change_schools")
def remove_total(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an official total away."""
    found = get_object_or_404(OfficialTotal, pk=pk)
    demand_unit(request.user, province_code=found.province_code)
    operations.remove_total(total=found, by=request.user)
    messages.success(request, _("The official total was removed."))
    return redirect("scorecard:totals")
