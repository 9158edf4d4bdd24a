"""Pages of single decisions: a school opens, is split, gets another code, closes; each previewed before it is accepted."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dienrong.accounts.permissions import requires, scope_of
from dienrong.core import clock
from dienrong.registry import operations, queries
from dienrong.registry.event_forms import MOST_PARTS, ClosingForm, OpeningForm, PartsForm, RecodingForm
from dienrong.registry.forms import DecisionForm
from dienrong.registry.models import School
from dienrong.registry.operations import Decision, Happening, NewSchool
from dienrong.registry.queries import LinePart
from dienrong.registry.views.schools import school_of_address
from dienrong.registry.views.steps import Steps, take

TEMPLATE = "registry/event.html"


@require_http_methods(["GET", "POST"])
@requires("change_schools")
def open_school(request: HttpRequest) -> HttpResponse:
    """Open a school: the province first where there are several, then everything about it."""
    scope, today = scope_of(request.user), clock.today()
    provinces = queries.provinces_in(scope, today)
    asked = (request.POST or request.GET).get("province", "")
    province = next((unit for unit in provinces if unit.code == asked or len(provinces) == 1), None)
    communes = queries.communes_in(scope, today, province.code) if province else []
    initial = {"sector": "public", "managed_by": "commune", "kind": "general", "boarding": "none"}
    form = OpeningForm(request.POST or None, communes=communes, initial=initial)

    def given() -> dict[str, Any]:
        values = form.cleaned_data
        new = NewSchool(
            code=values["code"], name=values["name"], commune=form.chosen_commune, traits=form.traits()
        )
        return {"new": new, "decision": decision_of(form), "by": request.user}

    return take(
        request,
        Steps(
            template=TEMPLATE,
            forms=[form],
            plan=lambda: operations.plan_opening(**given()),
            show=show,
            act=lambda: reverse("registry:school", args=[operations.open_school(**given()).school_id]),
            done=_("The school is opened."),
            context={
                "kind": "open",
                "title": _("Open a school"),
                "provinces": provinces if len(provinces) > 1 else [],
                "province": province,
                "back": reverse("registry:schools"),
            },
        ),
    )


@require_http_methods(["GET", "POST"])
@requires("change_schools")
def split_school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Split a school: how many there are afterwards first, then each with its pupils by grade."""
    found = school_of_address(request, school_id)
    n_parts, keeps = number_of_parts(request), keeps_itself(request)
    scope, today = scope_of(request.user), clock.today()
    decision_form = DecisionForm(request.POST or None)
    day = today
    if decision_form.is_bound and decision_form.is_valid():
        day = decision_form.cleaned_data["on_date"]
    form = PartsForm(
        request.POST or None,
        school=found,
        known=queries.shareable([found.pk], day)[found.pk],
        communes=queries.communes_in(scope, today, found.province.code),
        n_parts=n_parts,
        keeps=keeps,
    )

    def given() -> dict[str, Any]:
        parts = [(_successor(request, part, found, form), part.shares) for part in form.parts()]
        return {
            "school": found,
            "parts": parts,
            "decision": decision_of(decision_form),
            "by": request.user,
        }

    def act() -> str:
        return reverse("registry:school", args=[operations.split_school(**given())[0].school_id])

    return take(
        request,
        Steps(
            template=TEMPLATE,
            forms=[decision_form, form],
            plan=lambda: operations.plan_split(**given()),
            show=show,
            act=act,
            done=_("The school is split."),
            context={
                **_about(found, "split", _("Split %(name)s") % {"name": found.name}),
                "parts": form,
                "n_parts": n_parts,
                "keeps": keeps,
                "choices": range(2, MOST_PARTS + 1),
            },
        ),
    )


@require_http_methods(["GET", "POST"])
@requires("change_schools")
def recode_school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Give a school another code."""
    found = school_of_address(request, school_id)
    form = RecodingForm(request.POST or None)

    def given() -> dict[str, Any]:
        code = form.cleaned_data["code"]
        return {"school": found, "code": code, "decision": decision_of(form), "by": request.user}

    return take(
        request,
        Steps(
            template=TEMPLATE,
            forms=[form],
            plan=lambda: operations.plan_recoding(**given()),
            show=show,
            act=lambda: reverse("registry:school", args=[operations.recode_school(**given()).school_id]),
            done=_("The school has its new code."),
            context=_about(found, "recode", _("A new code for %(name)s") % {"name": found.name}),
        ),
    )


@require_http_methods(["GET", "POST"])
@requires("change_schools")
def close_school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Close a school without successor."""
    found = school_of_address(request, school_id)
    form = ClosingForm(request.POST or None)

    def given() -> dict[str, Any]:
        return {"school": found, "decision": decision_of(form), "by": request.user}

    return take(
        request,
        Steps(
            template=TEMPLATE,
            forms=[form],
            plan=lambda: operations.plan_closing(**given()),
            show=show,
            act=lambda: reverse("registry:school", args=[operations.close_school(**given()).school_id]),
            done=_("The school is closed."),
            context=_about(found, "close", _("Close %(name)s") % {"name": found.name}),
        ),
    )


def number_of_parts(request: HttpRequest) -> int:
    """Read how many schools there shall be after a split."""
    asked = (request.POST or request.GET).get("n", "2")
    return min(max(int(asked), 2), MOST_PARTS) if asked.isascii() and asked.isdigit() else 2


def keeps_itself(request: HttpRequest) -> bool:
    """Read whether the school that is split goes on itself."""
    return (request.POST or request.GET).get("keeps", "1") != "0"


def decision_of(form: Any) -> Decision:
    """Give the decision that was filled in."""
    values = form.cleaned_data
    return Decision(
        on_date=values["on_date"], number=values["decision_number"], signed_on=values["decision_date"]
    )


def show(planned: Happening) -> dict[str, Any]:
    """Give the schools before and after an event with their pupils, for the page."""
    day = clock.today()
    known = queries.shareable([school.pk for school in planned.predecessors], day)
    rows_before = [
        {"school": school, "n_students": _sum(known[school.pk].held.values())}
        for school in planned.predecessors
    ]
    held = rows_before[0]["n_students"] if rows_before else None
    before = {school.pk for school in planned.predecessors}
    return {
        "before": rows_before,
        "after": [
            {
                "school": school,
                "is_new": school.pk is None,
                "is_other": school.pk is not None and school.pk not in before,
                "n_students": sum(n for n, _classes in planned.shares[place].values())
                if planned.shares.get(place)
                else (None if planned.shares or school.pk is None else held),
            }
            for place, school in enumerate(planned.successors)
        ],
        "ending": planned.ending,
    }


def _sum(counts: Any) -> int | None:
    """Add up pupils; None where nothing is known."""
    numbers = [count.n_students for count in counts]
    return sum(numbers) if numbers else None


def _about(found: School, kind: str, title: str) -> dict[str, Any]:
    """Give what every page about one school needs."""
    back = reverse("registry:school", args=[found.school_id])
    return {"school": found, "kind": kind, "title": title, "back": back}


def _successor(request: HttpRequest, part: LinePart, found: School, form: PartsForm) -> School | NewSchool:
    """Give the school that a part means: itself, another of the person's units that stands, or a new one.

    A name beside the code of a school that stands means that a new one was meant, whose code is taken.
    """
    if part.code == found.school_id:
        return found
    standing = queries.school_by_id(part.code)
    if (
        standing is not None
        and part.name in ("", standing.name)
        and scope_of(request.user).covers(standing.province.code, standing.commune.code, standing.school_id)
    ):
        return standing
    return NewSchool(code=part.code, name=part.name, commune=form.units.get(part.commune_code))
