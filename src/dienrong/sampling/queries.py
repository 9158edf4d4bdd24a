"""Reads of plans, of what their frames are made from, and of sampled schools within a scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import translation

from dienrong.accounts.permissions import NOTHING, Scope
from dienrong.core.text import search_key
from dienrong.cycles.models import Cycle
from dienrong.registry import queries as registry
from dienrong.registry.frame import FrameRow
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.rosters.models import StaffPlace
from dienrong.sampling.models import Draw, Plan, SampledSchool
from dienrong.scorecard.queries.schools import totals_in

GRADES = {"MN": (0,), "TH": (1, 2, 3, 4, 5), "THCS": (6, 7, 8, 9), "THPT": (10, 11, 12), "GDTX": (10, 11, 12)}
STAFFED = frozenset({"TH", "THCS", "THPT"})
MOST_PUBLIC = 12
WHOLE_COUNTRY = Scope(is_national=True)


def plans_of(cycle: Cycle) -> QuerySet[Plan]:
    """List the plans of a cycle, the newest first."""
    return Plan.objects.filter(cycle=cycle).select_related("frame", "draw", "created_by")


def plan_by_pk(pk: int) -> Plan | None:
    """Give a plan with its frame and its draw."""
    return Plan.objects.select_related("cycle", "frame", "draw", "created_by").filter(pk=pk).first()


def public_plan(pk: int) -> Plan | None:
    """Give a plan that the public may see: one whose commitment is published."""
    found = plan_by_pk(pk)
    return found if found is not None and hasattr(found, "draw") else None


def public_plans() -> QuerySet[Plan]:
    """List the plans whose commitment is published and that hold, the newest first."""
    states = (Plan.State.COMMITTED, Plan.State.DRAWN)
    return (
        Plan.objects.filter(state__in=states)
        .select_related("draw")
        .order_by("-draw__committed_at")[:MOST_PUBLIC]
    )


def drawn_plans(cycle: Cycle) -> QuerySet[Plan]:
    """List the plans of a cycle that are drawn."""
    return plans_of(cycle).filter(state=Plan.State.DRAWN)


def earlier_draws(plan: Plan) -> QuerySet[Plan]:
    """List the drawn plans, of any cycle, with which overlap may be controlled."""
    found = Plan.objects.filter(state=Plan.State.DRAWN, population=plan.population)
    return found.exclude(pk=plan.pk).select_related("cycle").order_by("-draw__drawn_at")


def within(rows: QuerySet[SampledSchool], scope: Scope) -> QuerySet[SampledSchool]:
    """Limit sampled schools to the provinces of a scope; whoever has less sees none."""
    if scope.is_national:
        return rows
    return rows.filter(province_code__in=scope.provinces) if scope.provinces else rows.none()


def schools_of(
    draw: Draw, scope: Scope = NOTHING, *, province_code: str = "", role: str = "", search: str = ""
) -> QuerySet[SampledSchool]:
    """List the sampled schools of a draw within a scope, replacements behind those they would replace."""
    rows = within(SampledSchool.objects.filter(draw=draw), scope).select_related("original")
    if province_code:
        rows = rows.filter(province_code=province_code)
    if role:
        rows = rows.filter(role=role)
    if search:
        key = search_key(search)
        rows = rows.filter(
            Q(school_code__icontains=search) | Q(name__icontains=search) | Q(school__search_key__contains=key)
        )
    return rows.order_by("selection_order", "role")


def sampled_school(draw: Draw, code: str) -> SampledSchool | None:
    """Give one sampled school of a draw."""
    found = SampledSchool.objects.filter(draw=draw, school_code=code)
    return found.select_related("original", "school").first()


def counts_of(draw: Draw, scope: Scope = WHOLE_COUNTRY) -> dict[str, int]:
    """Count the schools of a draw by their role."""
    rows = within(SampledSchool.objects.filter(draw=draw), scope)
    return dict(rows.order_by().values_list("role").annotate(n=Count("pk")))


def sampled_counts(plans: Iterable[Plan], scope: Scope) -> dict[int, int]:
    """Count the sampled schools of several plans within a scope, by plan; asked once for all of them."""
    drawn = [plan.pk for plan in plans if plan.state == Plan.State.DRAWN]
    rows = SampledSchool.objects.filter(draw__plan__in=drawn, role=SampledSchool.Role.ORIGINAL)
    counted = within(rows, scope).order_by().values_list("draw__plan").annotate(n=Count("pk"))
    return dict.fromkeys(drawn, 0) | dict(counted)


def province_codes_of(draw: Draw, scope: Scope) -> list[str]:
    """List the codes of the provinces in which schools were sampled, within a scope."""
    rows = within(SampledSchool.objects.filter(draw=draw), scope).exclude(province_code="")
    return sorted(rows.order_by().values_list("province_code", flat=True).distinct())


def registry_rows(plan: Plan) -> list[dict[str, Any]]:
    """Write the population of a plan from the registry of its day, one row per school.

    A school is of the population when its levels hold the grade, or when it has pupils of it; a count that is
    not known is None, and the checks of the frame name the school.
    """
    places = _places(plan)
    staff = _staff(plan) if plan.grade is None else {}
    rows = []
    for row in registry.frame_on(plan.frame_date, plan.school_year):
        size, n_classes = _size(row, plan, staff)
        if size is None and not _belongs(row, plan):
            continue
        if size == 0 and not _belongs(row, plan):
            continue
        province, region = places.get(row.province_code, (row.province_code, ""))
        rows.append(
            {
                "school_id": row.school_id,
                "name": row.name,
                "province_code": row.province_code,
                "province": province,
                "region": region,
                "commune_code": row.commune_code,
                "kind": row.kind,
                "levels": row.levels,
                "area": row.area,
                "sector": row.sector,
                "managed_by": row.managed_by,
                "disadvantaged": "yes" if row.is_disadvantaged else "no",
                "border": "yes" if row.is_border else "no",
                "boarding": row.boarding,
                "enrolment": size,
                **({"classes": n_classes} if plan.grade is not None else {}),
                **({"total_enrolment": sum(row.n_students.values())} if plan.grade is not None else {}),
            }
        )
    return rows


def _belongs(row: FrameRow, plan: Plan) -> bool:
    """Tell whether a school of these levels has people of the population."""
    levels = row.levels.split("-")
    if plan.grade is None:
        return bool(STAFFED & set(levels))
    return any(plan.grade in GRADES.get(level, ()) for level in levels)


def _size(row: FrameRow, plan: Plan, staff: Mapping[int, int]) -> tuple[int | None, int | None]:
    """Give the people of the population in a school, and its classes."""
    if plan.grade is None:
        return staff.get(row.school_key), None
    return row.n_students.get(plan.grade), row.n_classes.get(plan.grade)


def _staff(plan: Plan) -> dict[int, int]:
    """Count teachers or managers by school."""
    role = "teacher" if plan.population == Plan.Population.TEACHERS else "manager"
    rows = StaffPlace.objects.filter(school_year=plan.school_year, role=role)
    return dict(rows.order_by().values_list("school_id").annotate(n=Count("pk")))


def _places(plan: Plan) -> dict[str, tuple[str, str]]:
    """Name province and region by province code, in the language of the installation: the frame is one text."""
    with translation.override(settings.LANGUAGE_CODE):
        regions = registry.region_names()
        units = registry.units_on(plan.frame_date, AdministrativeUnit.Level.PROVINCE)
        return {unit.code: (unit.name, regions.get(unit.region6, "")) for unit in units}


def official_totals(plan: Plan) -> dict[str, float]:
    """Give the official number of pupils of the plan's grade and year by province; nothing where none is known."""
    if plan.grade is None or plan.source.get("kind") != "registry":
        return {}
    rows = totals_in(WHOLE_COUNTRY, school_year=plan.school_year).filter(part=str(plan.grade))
    return {code: float(n) for code, n in rows.values_list("province_code", "n_students")}


def schools_by_code(codes: list[str]) -> dict[str, int]:
    """Give the registry's keys of schools by their codes."""
    found: dict[str, int] = {}
    for start in range(0, len(codes), 2000):
        part = codes[start : start + 2000]
        found |= dict(School.objects.filter(school_id__in=part).values_list("school_id", "pk"))
    return found
