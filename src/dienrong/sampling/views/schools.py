"""The sampled schools: the list within the reader's scope, one school with how its probability came about."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from dienrong.accounts.permissions import may, requires, scope_of
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.core.text import sort_key
from dienrong.registry.queries import province_names
from dienrong.sampling import kept, outputs, queries, words
from dienrong.sampling.models import Plan, SampledSchool
from dienrong.sampling.numeric import draws
from dienrong.sampling.operations import demand_whole
from dienrong.sampling.views.plans import plan_of

ROWS_PER_PAGE = 50
ORDERS = ("draw", "name", "province")


def drawn_plan(request: HttpRequest, pk: int) -> Plan:
    """Give a drawn plan; to those who do not make plans, no other exists."""
    plan = plan_of(pk)
    is_withdrawn_draw = plan.state == Plan.State.WITHDRAWN and may(request.user, "change_samples")
    if plan.state == Plan.State.DRAWN or (is_withdrawn_draw and hasattr(plan, "draw") and plan.draw.drawn_at):
        return plan
    raise Http404


def _narrowed(
    request: HttpRequest, plan: Plan
) -> tuple[QuerySet[SampledSchool] | list[SampledSchool], dict[str, str]]:
    """Read what narrows and orders the list from the address."""
    given = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "province", "role", "order")}
    given["order"] = given["order"] if given["order"] in ORDERS else ORDERS[0]
    given["role"] = given["role"] if given["role"] in SampledSchool.Role.values else ""
    rows = queries.schools_of(
        plan.draw,
        scope_of(request.user),
        province_code=given["province"],
        role=given["role"],
        search=given["q"],
    )
    if given["order"] == ORDERS[0]:
        return rows, given
    by_province = given["order"] == "province"
    ordered = sorted(
        rows, key=lambda row: (row.province_code if by_province else "", sort_key(row.name), row.pk)
    )
    return ordered, given


@require_GET
@requires("view_samples")
def schools(request: HttpRequest, pk: int) -> HttpResponse:
    """List the sampled schools of the reader's scope."""
    plan = drawn_plan(request, pk)
    rows, given = _narrowed(request, plan)
    names = province_names(clock.today())
    explicit = plan.design.get("explicit") or []
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    n_rows = page.paginator.count
    page.object_list = [
        {
            "school": row,
            "province": names.get(row.province_code, row.province_code),
            "stratum": words.stratum_title(row.stratum, explicit),
        }
        for row in page.object_list
    ]
    codes = queries.province_codes_of(plan.draw, scope_of(request.user))
    context = {
        "plan": plan,
        "page": page,
        "given": given,
        "is_narrowed": bool(given["q"] or given["province"] or given["role"]),
        "provinces": [(code, names.get(code, code)) for code in codes],
        "roles": SampledSchool.Role.choices,
        "orders": [("draw", _("order of the draw")), ("name", _("name")), ("province", _("province"))],
        "may_change": may(request.user, "change_samples"),
        "lead": ngettext("%(n)s school in your charge", "%(n)s schools in your charge", n_rows)
        % {"n": number_text(n_rows)},
    }
    return render(request, "sampling/schools.html", context)


@require_GET
@requires("view_samples")
def schools_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the narrowed list as an Excel file."""
    plan = drawn_plan(request, pk)
    rows, _given = _narrowed(request, plan)
    content = outputs.sample_workbook(plan, rows)
    return outputs.response(content, outputs.XLSX, f"mau-truong-{plan.pk}.xlsx")


@require_GET
@requires("view_samples")
def school(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Tell how the probability and the weight of one school came about."""
    plan = drawn_plan(request, pk)
    found = queries.sampled_school(plan.draw, code)
    visible = queries.within(SampledSchool.objects.filter(draw=plan.draw), scope_of(request.user))
    if found is None or not visible.filter(pk=found.pk).exists():
        raise Http404
    demand_whole(plan)
    record = kept.record_bytes(plan.draw).decode("utf-8")
    origin = draws.origin_of(record, kept.frame_path(plan.frame), code)
    explicit = plan.design.get("explicit") or []
    others: list[Any] = list(found.replacements.order_by("role"))
    context = {
        "plan": plan,
        "school": found,
        "stratum": words.stratum_title(found.stratum, explicit),
        "sentences": words.origin_sentences(origin) if origin is not None else [],
        "replacements": others,
    }
    return render(request, "sampling/school.html", context)
