"""The norm of the cycle, and how the Ministry sets a further version of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.typed_numbers import plain_number
from dienrong.readiness import judging, operations, words
from dienrong.readiness.forms import NormForm
from dienrong.readiness.models import Measure, NormSet, Weight
from dienrong.readiness.queries.norms import norm_of, numbers_of, rules_of
from dienrong.readiness.views import parts


@require_safe
@requires("view_readiness")
def norms(request: HttpRequest) -> HttpResponse:
    """Show the norm that holds."""
    return _page(request, None)


def _page(request: HttpRequest, form: NormForm | None, status: int = 200) -> HttpResponse:
    """Draw the page of the norm."""
    cycle = parts.cycle_now()
    norm = norm_of(cycle)
    may_set = permissions.may(request.user, "set_readiness_norms")
    rules = rules_of(norm) if norm else list(operations.STANDARD_RULES)
    context: dict[str, Any] = {
        "tabs": parts.tabs(request),
        "cycle": cycle,
        "norm": norm,
        "may_set": may_set,
        "versions": NormSet.objects.filter(cycle=cycle).select_related("made_by").order_by("-version"),
    }
    if norm is not None:
        need = judging.need_of(norm.n_students, numbers_of(norm))
        context |= {
            "need": need,
            "rules": [
                {
                    "measure": Measure(one.measure).label,
                    "bound": words.bound_text(one),
                    "weight": Weight(one.weight).label,
                }
                for one in rules
            ],
        }
    if may_set:
        context["form"] = form or NormForm(instance=norm)
        context["rule_fields"] = _fields(rules, request)
    return render(request, "readiness/norms.html", context, status=status)


def _fields(rules: list[judging.Rule], request: HttpRequest) -> list[dict[str, Any]]:
    """Give, for each measure, the two bounds as they stand in the form."""
    kept = {(one.measure, one.weight): f"{one.bound:g}" for one in rules}
    rows = []
    for measure, label in Measure.choices:
        cells = []
        for weight, word in Weight.choices:
            name = f"{measure}-{weight}"
            value = (
                request.POST.get(name, "") if request.method == "POST" else kept.get((measure, weight), "")
            )
            cells.append({"name": name, "value": value, "label": f"{label}: {word}"})
        rows.append(
            {
                "label": label,
                "is_flag": measure in judging.YES_OR_NO,
                "cells": cells,
                "unit": words.UNITS.get(Measure(measure), ""),
            }
        )
    return rows


@require_POST
@requires("set_readiness_norms")
def set_norm(request: HttpRequest) -> HttpResponse:
    """Set a further version of the norm."""
    form = NormForm(request.POST)
    rules = []
    if form.is_valid():
        for measure in Measure.values:
            for weight in Weight.values:
                typed = request.POST.get(f"{measure}-{weight}", "").strip()
                if not typed:
                    continue
                try:
                    bound = Decimal(plain_number(typed))
                except ArithmeticError:
                    form.add_error(None, _("“%(value)s” is not a number.") % {"value": typed[:20]})
                    continue
                rules.append(judging.Rule(measure=measure, weight=weight, bound=bound))
    if form.is_valid():
        facts = operations.NormFacts(
            **{name: form.cleaned_data[name] for name in operations.NormFacts.__dataclass_fields__}
        )
        try:
            operations.set_norm(cycle=parts.cycle_now(), facts=facts, rules=rules, by=request.user)
        except operations.ReadinessRefusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The norm holds; every school was judged by it again."))
            return redirect(reverse("readiness:norms"))
    return _page(request, form, 422)
