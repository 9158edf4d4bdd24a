"""The page of one training and everything that is done there."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.capacity import documents, kept, operations, words
from dienrong.capacity.forms import MaterialForm, QuotaForm, ReasonForm
from dienrong.capacity.models import Enrolment, Half, Kind, Material, Training
from dienrong.capacity.operations.results import outcome_of
from dienrong.capacity.places_typed import choices_for, place_of
from dienrong.capacity.queries import access, places
from dienrong.capacity.queries import training as reads
from dienrong.capacity.queries.certificates import batches_of, waiting_for
from dienrong.capacity.queries.people import hindrances_of
from dienrong.capacity.views import parts
from dienrong.core import clock
from dienrong.core.days import read_day
from dienrong.core.formats import number_text
from dienrong.core.refusals import Conflict
from dienrong.core.typed_numbers import plain_number
from dienrong.rosters import workbooks

TABS = ("hoc-vien", "chi-tieu", "tai-lieu", "danh-gia")
MOST_CANDIDATES = 200


@require_safe
@requires("view_capacity")
def training(request: HttpRequest, training_id: int) -> HttpResponse:
    """Show a training: its learners, quotas, materials, evaluation; and what comes next."""
    found = parts.training_for(request, training_id)
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    titles = {
        "hoc-vien": _("Learners"),
        "chi-tieu": _("Quotas"),
        "tai-lieu": _("Materials"),
        "danh-gia": _("Evaluation"),
    }
    makers: dict[str, Callable[[HttpRequest, Training], dict[str, Any]]] = {
        "hoc-vien": _learners,
        "chi-tieu": _quotas,
        "tai-lieu": _materials,
        "danh-gia": _evaluation,
    }
    may_run = access.may_run(request.user, found)
    context = {
        "training": found,
        "course": found.course,
        "state": words.training_state(found),
        "tab": tab,
        "tabs": [{"title": titles[one], "url": f"?tab={one}", "is_current": one == tab} for one in TABS],
        "may_run": may_run,
        "may_issue": access.may_issue(request.user, found),
        "may_nominate": found.state == Training.State.OPEN
        and clock.today() <= found.nominate_until
        and permissions.may(request.user, "nominate_people"),
        "today": clock.today(),
        "n_uncertified": waiting_for(found).count() if found.state == Training.State.CONCLUDED else 0,
        "batches": list(batches_of(found)) if may_run else [],
        "reason_form": ReasonForm(),
    }
    return render(request, "capacity/training.html", context | makers[tab](request, found))


def _learners(request: HttpRequest, found: Training) -> dict[str, Any]:
    """Give the learners with attendance, mark and outcome; on a running training what would come out now."""
    learners = list(reads.enrolments_of(request.user, found).select_related("certificate"))
    busy = {}
    if found.state == Training.State.OPEN and access.may_run(request.user, found):
        waiting = [one.person for one in learners if one.state == Enrolment.State.NOMINATED]
        busy = hindrances_of(waiting, found.first_day, found.last_day)
    rows = []
    for one in learners:
        others = [hindrance for hindrance in busy.get(one.person_id, []) if found.code not in hindrance.text]
        rows.append(
            {
                "enrolment": one,
                "state": words.enrolment_state(one),
                "place": places.place_name(one.posting) if one.posting else "",
                "share": reads.attended_share(one.n_halves_present, found),  # type: ignore[attr-defined]
                "certificate": getattr(one, "certificate", None),
                "hindrances": others,
                "is_open": one.state in (Enrolment.State.NOMINATED, Enrolment.State.CONFIRMED),
            }
        )
    n_waiting = sum(one.state == Enrolment.State.NOMINATED for one in learners)
    n_taking_part = sum(one.state in reads.TAKING_PART for one in learners)
    return {
        "rows": rows,
        "n_waiting": n_waiting,
        "n_taking_part": n_taking_part,
        "n_left": max(0, found.n_seats - n_taking_part),
        "shows_results": found.state in (Training.State.RUNNING, Training.State.CONCLUDED),
    }


def _quotas(request: HttpRequest, found: Training) -> dict[str, Any]:
    """Give the quotas and how much of each is taken."""
    return {
        "quotas": reads.quota_uses(found),
        "quota_form": QuotaForm(),
        "places": choices_for(access.scope_of(request.user, "change_training")),
        "may_set": found.state in (Training.State.PLANNED, Training.State.OPEN)
        and access.may_run(request.user, found),
    }


def _materials(_request: HttpRequest, found: Training) -> dict[str, Any]:
    """Give the materials."""
    return {"materials": list(found.materials.all()), "material_form": MaterialForm()}


def _evaluation(request: HttpRequest, found: Training) -> dict[str, Any]:
    """Give the sums of the evaluations to the organizer, and the address at which learners answer."""
    address = request.build_absolute_uri(reverse("capacity:evaluate", args=[found.pk]))
    context: dict[str, Any] = {"address": address}
    if access.may_run(request.user, found):
        context["evaluation"] = reads.evaluation_of(found)
        context["fewest"] = reads.FEWEST_EVALUATIONS
    return context


@require_http_methods(["GET", "HEAD", "POST"])
@requires("nominate_people")
def nominate(request: HttpRequest, training_id: int) -> HttpResponse:
    """Choose people in charge and nominate them together."""
    found = parts.training_for(request, training_id)
    search = request.GET.get("q", "")[:80]
    refusal: Any = None
    chosen: set[str] = set()
    if request.method == "POST":
        chosen = set(request.POST.getlist("person"))
        keys = [int(key) for key in chosen if key.isdigit()]
        people = list(access.people_of(request.user, "nominate_people").filter(pk__in=keys))
        try:
            made = operations.nominate(training=found, people=people, by=request.user)
        except (operations.CapacityRefusal, Conflict) as caught:
            refusal = caught
        else:
            messages.success(request, _("%(n)s people were nominated.") % {"n": len(made)})
            return redirect("capacity:training", found.pk)
    candidates = reads.candidates(request.user, found, search=search)
    shown = list(access.with_posts(candidates[: MOST_CANDIDATES + 1]))
    busy = hindrances_of(shown, found.first_day, found.last_day)
    context = {
        "training": found,
        "course": found.course,
        "audience": [Kind(kind).label for kind in found.course.audience],
        "search": search,
        "refusal": refusal,
        "rows": [
            {
                "person": one,
                "posts": [{"post": post, "place": places.place_name(post)} for post in one.posts_today],  # type: ignore[attr-defined]
                "hindrances": busy.get(one.pk, []),
                "is_chosen": str(one.pk) in chosen,
            }
            for one in shown[:MOST_CANDIDATES]
        ],
        "has_more": len(shown) > MOST_CANDIDATES,
        "quotas": reads.quota_uses(found),
    }
    return render(request, "capacity/nominate.html", context, status=422 if refusal else 200)


@require_POST
@requires("change_training")
def act(request: HttpRequest, training_id: int, action: str) -> HttpResponse:
    """Do one step of the organizer: open, confirm, begin, conclude, cancel."""
    found = parts.training_for(request, training_id)
    if action == "mo":
        operations.open_training(training=found, by=request.user)
        messages.success(
            request, _("Nominations are open until %(day)s.") % {"day": f"{found.nominate_until:%d/%m/%Y}"}
        )
    elif action == "bat-dau":
        operations.begin_training(training=found, by=request.user)
        messages.success(request, _("The training runs. Next: attendance."))
    elif action == "xac-nhan":
        keys = [int(key) for key in request.POST.getlist("enrolment") if key.isdigit()]
        chosen = list(found.enrolments.filter(pk__in=keys))
        n = operations.confirm(training=found, enrolments=chosen, by=request.user)
        messages.success(request, _("%(n)s nominations were accepted.") % {"n": n})
    elif action == "ket-thuc":
        counts = operations.conclude_training(training=found, by=request.user)
        messages.success(
            request,
            _("The training is concluded: %(completed)s completed it, %(others)s did not.")
            % {"completed": counts["completed"], "others": counts["absent"] + counts["failed"]},
        )
    elif action == "huy":
        operations.cancel_training(training=found, reason=request.POST.get("text", ""), by=request.user)
        messages.success(request, _("The training is cancelled."))
    else:
        raise Http404
    return redirect("capacity:training", found.pk)


@require_POST
@requires("nominate_people")
def leave(request: HttpRequest, enrolment_id: int, action: str) -> HttpResponse:
    """Withdraw a nomination, or do not accept it."""
    found = Enrolment.objects.select_related("training", "person").filter(pk=enrolment_id).first()
    if found is None or action not in ("rut", "khong-nhan"):
        raise Http404
    act_on = operations.withdraw if action == "rut" else operations.decline
    act_on(enrolment=found, reason=request.POST.get("text", ""), by=request.user)
    messages.success(request, _("It is written down."))
    return redirect("capacity:training", found.training_id)


@require_POST
@requires("change_training")
def quota(request: HttpRequest, training_id: int) -> HttpResponse:
    """Set the quota of one unit or school."""
    found = parts.training_for(request, training_id)
    form = QuotaForm(request.POST)
    address = f"{reverse('capacity:training', args=[found.pk])}?tab=chi-tieu"
    if form.is_valid():
        try:
            unit, school = place_of(
                form.cleaned_data["place"], access.scope_of(request.user, "change_training")
            )
            n = form.cleaned_data["n_places"]
            operations.set_quotas(
                training=found,
                units={unit: n} if unit is not None else {},
                schools={school: n} if school is not None else {},
                by=request.user,
            )
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The quota is set."))
            return redirect(address)
    page = parts.form_page(form, title=_("Quota"), button=_("Save"), back=address, lead=found.course.name)
    choices = choices_for(access.scope_of(request.user, "change_training"))
    return render(request, "capacity/form.html", page | {"places": choices}, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_training")
def attendance(request: HttpRequest, training_id: int) -> HttpResponse:
    """Note who is present in one half-day from the list, and open the code for phones."""
    found = parts.training_for(request, training_id)
    access.demand_organizer(request.user, "change_training", found.organizer)
    day, half = _half(request, found)
    if request.method == "POST":
        present = [int(key) for key in request.POST.getlist("enrolment") if key.isdigit()]
        n = operations.note_by_list(training=found, day=day, half=half, present=present, by=request.user)
        messages.success(request, _("%(n)s people are present.") % {"n": n})
        return redirect(f"{request.path}?ngay={day:%Y-%m-%d}&buoi={half}")
    grid = reads.attendance_grid(found)
    learners = reads.enrolments_of(request.user, found).filter(state__in=reads.TAKING_PART)
    context = {
        "training": found,
        "day": day,
        "half": half,
        "half_word": Half(half).label,
        "halves": [
            {
                "title": f"{one:%d/%m} · {label}",
                "url": f"?ngay={one:%Y-%m-%d}&buoi={value}",
                "is_current": (one, value) == (day, half),
                "count": sum((one, value) in seen for seen in grid.values()),
            }
            for one in reads.days_of(found)
            for value, label in Half.choices
        ],
        "rows": [
            {
                "enrolment": one,
                "is_present": (day, half) in grid.get(one.pk, ()),
                "n": len(grid.get(one.pk, ())),
            }
            for one in learners
        ],
        "is_today": found.first_day <= clock.today() <= found.last_day
        and found.state == Training.State.RUNNING,
        "may_note": found.state == Training.State.RUNNING and day <= clock.today(),
    }
    return render(request, "capacity/attendance.html", context)


def _half(request: HttpRequest, found: Training) -> tuple[datetime.date, str]:
    """Read the half-day of the address; else the present one, within the days of the training."""
    asked = request.POST if request.method == "POST" else request.GET
    today = min(max(clock.today(), found.first_day), found.last_day)
    day = read_day(asked.get("ngay", "")) or today
    half = asked.get("buoi", "")
    return day, half if half in Half.values else reads.half_now(clock.now())


@never_cache
@require_GET
@requires("change_training")
def attendance_code(request: HttpRequest, training_id: int) -> HttpResponse:
    """Show the code that phones scan; the page asks for a fresh one every two minutes."""
    found = parts.training_for(request, training_id)
    code = operations.attendance_code(training=found, by=request.user)
    address = request.build_absolute_uri(reverse("capacity:attend", args=[code]))
    context = {
        "training": found,
        "address": address,
        "qr": mark_safe(documents.qr_svg(address)),  # noqa: S308 - drawn here; the text is no part of the markup
        "half_word": Half(reads.half_now(clock.now())).label,
        "today": clock.today(),
        "now": clock.now(),
    }
    template = "capacity/parts/code.html" if request.headers.get("HX-Request") else "capacity/code.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_training")
def scores(request: HttpRequest, training_id: int) -> HttpResponse:
    """Write the marks of the test down, all on one page."""
    found = parts.training_for(request, training_id)
    access.demand_organizer(request.user, "change_training", found.organizer)
    learners = list(reads.enrolments_of(request.user, found).filter(state__in=reads.TAKING_PART))
    refusal: Any = None
    typed: dict[int, str] = {}
    if request.method == "POST":
        typed = {one.pk: request.POST.get(f"diem-{one.pk}", "").strip() for one in learners}
        try:
            n = operations.record_scores(
                training=found, scores=_read_scores(learners, typed), by=request.user
            )
        except (operations.CapacityRefusal, Conflict) as caught:
            refusal = caught
        else:
            messages.success(request, _("%(n)s marks were saved.") % {"n": n})
            return redirect("capacity:training", found.pk)
    context = {
        "training": found,
        "course": found.course,
        "refusal": refusal,
        "rows": [
            {
                "enrolment": one,
                "typed": typed.get(one.pk, number_text(one.score, 2) if one.score is not None else ""),
                "outcome": outcome_of(one.n_halves_present, one.score, found),  # type: ignore[attr-defined]
            }
            for one in learners
        ],
    }
    return render(request, "capacity/scores.html", context, status=422 if refusal else 200)


def _read_scores(learners: list[Enrolment], typed: dict[int, str]) -> dict[int, Any]:
    """Read typed marks; an empty line takes a mark away."""
    from decimal import Decimal, InvalidOperation

    found: dict[int, Any] = {}
    for one in learners:
        text = typed[one.pk]
        try:
            found[one.pk] = Decimal(plain_number(text)).quantize(Decimal("0.01")) if text else None
        except InvalidOperation:
            raise operations.CapacityRefusal(
                _("“%(text)s” of %(name)s is no mark.") % {"text": text[:20], "name": one.person.full_name},
                hint=_("Write a number from 0 to 10, such as 7,5."),
            ) from None
    return found


@require_safe
@requires("change_training")
def learners_file(request: HttpRequest, training_id: int) -> HttpResponse:
    """Give the learners with their codes as Excel: the list at the entrance, and the file for marks."""
    found = parts.training_for(request, training_id)
    access.demand_organizer(request.user, "change_training", found.organizer)
    learners = reads.enrolments_of(request.user, found).filter(state__in=reads.TAKING_PART)
    rows = [
        (
            one.learner_code,
            one.person.full_name,
            places.place_name(one.posting) if one.posting else "",
            number_text(one.score, 2) if one.score is not None else "",
        )
        for one in learners
    ]
    data = workbooks.class_list(
        title=f"{found.course.name} · {found.code}",
        source=_("Marks of ten. Send the file in under “Import data”, with the code %(code)s.")
        % {"code": found.code},
        columns=(_("Learner code"), _("Full name"), _("Workplace"), _("Mark")),
        rows=rows,
    )
    return parts.file(data, f"hoc-vien-{found.pk}.xlsx", parts.EXCEL)


@require_POST
@requires("change_training")
def material(request: HttpRequest, training_id: int) -> HttpResponse:
    """Add a material."""
    found = parts.training_for(request, training_id)
    form = MaterialForm(request.POST, request.FILES)
    address = f"{reverse('capacity:training', args=[found.pk])}?tab=tai-lieu"
    if form.is_valid():
        sent = form.cleaned_data["file"]
        try:
            operations.add_material(
                training=found,
                title=form.cleaned_data["title"],
                address=form.cleaned_data["address"],
                file_name=sent.name if sent else "",
                content=sent.read() if sent else b"",
                by=request.user,
            )
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The material is added."))
            return redirect(address)
    page = parts.form_page(form, title=_("Materials"), button=_("Add"), back=address, lead=found.course.name)
    return render(request, "capacity/form.html", page | {"has_file": True}, status=422)


@require_safe
@requires("view_capacity")
def material_file(request: HttpRequest, material_id: int) -> HttpResponse:
    """Give the file of a material."""
    found = Material.objects.select_related("training").filter(pk=material_id).exclude(file_hash="").first()
    if found is None:
        raise Http404
    parts.training_for(request, found.training_id)
    ending = found.file_name.rpartition(".")[2].lower()
    return parts.file(kept.read(found.file_hash), f"tai-lieu-{found.pk}.{ending}", "application/octet-stream")
