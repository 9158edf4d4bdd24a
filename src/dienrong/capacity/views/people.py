"""Pages of the people of the register."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.models import User, normal_username
from dienrong.accounts.permissions import requires
from dienrong.audit.operations import record
from dienrong.capacity import operations, words
from dienrong.capacity.forms import (
    AbsenceForm,
    ChangePersonForm,
    CompetenceForm,
    EndPostForm,
    NewPersonForm,
    PostForm,
)
from dienrong.capacity.models import Kind, Level, Person, Posting
from dienrong.capacity.operations import PersonFacts, PostFacts
from dienrong.capacity.places_typed import choices_for, own_place, place_of, typed_place
from dienrong.capacity.queries import access, places
from dienrong.capacity.queries.people import (
    CERTIFIED,
    PeopleFilter,
    birth_date_of,
    certificate_marks,
    divided_postings,
    find_people,
    hindrances_of,
    postings_of,
)
from dienrong.capacity.views import parts
from dienrong.core import clock, recording
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict, Refusal
from dienrong.registry.queries import present_successors_of_school
from dienrong.rosters import workbooks

TABS = ("ho-so", "boi-duong", "lich-su")
MARKS = {"certified": "done", "trained": "in_progress", "none": "not_started"}
AHEAD = datetime.timedelta(days=60)


def mark_words() -> dict[str, str]:
    """Name what a list says of people: certified, trained, neither."""
    return {"certified": _("Certified"), "trained": _("Trained, not certified"), "none": _("Not yet")}


def filter_of(request: HttpRequest) -> PeopleFilter:
    """Read the filters of the address; unknown ones narrow nothing."""
    kind, level = request.GET.get("vi-tri", ""), request.GET.get("cap", "")
    certified, state = request.GET.get("chung-nhan", ""), request.GET.get("tinh-trang", "present")
    return PeopleFilter(
        search=request.GET.get("q", "")[:80],
        kind=kind if kind in Kind.values else "",
        level=level if level in Level.values else "",
        certified=certified if certified in CERTIFIED else "",
        state=state if state in ("present", "left", "all") else "present",
    )


@require_safe
@requires("view_capacity")
def people(request: HttpRequest) -> HttpResponse:
    """List the people in charge, 50 a page."""
    narrowed = filter_of(request)
    page = parts.page_of(request, access.with_posts(find_people(request.user, narrowed)))
    rows = list(page.object_list)
    marks, named = certificate_marks(rows), mark_words()
    context = {
        "tabs": parts.tabs(request),
        "page": page,
        "rows": [
            {
                "person": one,
                "posts": [{"post": post, "place": places.place_name(post)} for post in one.posts_today],  # type: ignore[attr-defined]
                "state": {"shape": MARKS[marks[one.pk]], "word": named[marks[one.pk]]},
            }
            for one in rows
        ],
        "narrowed": narrowed,
        "kinds": Kind.choices,
        "levels": Level.choices,
        "certified": [("", _("All")), ("yes", _("Certified")), ("no", _("Not certified")), ("trained_only", _("Trained, not certified"))],
        "may_change": permissions.may(request.user, "change_people"),
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "capacity/people.html", context)


@require_safe
@requires("view_capacity")
def people_file(request: HttpRequest) -> HttpResponse:
    """Give the list of the filters as Excel; the log keeps that it was taken."""
    found = list(access.with_posts(find_people(request.user, filter_of(request))))
    marks, named = certificate_marks(found), mark_words()
    rows = [
        (
            number,
            one.staff_code,
            one.full_name,
            "; ".join(f"{post.get_kind_display()} – {places.place_name(post)}" for post in one.posts_today),  # type: ignore[attr-defined]
            one.phone,
            one.email,
            named[marks[one.pk]],
        )
        for number, one in enumerate(found, start=1)
    ]
    columns = (
        _("No."), _("Code of the person"), _("Full name"), _("Posts"), _("Telephone"), _("E-mail"), _("Certificate"),
    )  # fmt: skip
    with transaction.atomic():
        record(
            action="capacity.people_exported",
            actor=request.user,
            obj=ObjectName("capacity.people", "", ""),
            after={"n": len(rows), "filters": request.GET.urlencode()[:200]},
        )
    today = clock.today()
    data = workbooks.class_list(
        title=_("People who carry assessments, as of %(day)s") % {"day": f"{today:%d/%m/%Y}"},
        source=_("Capacity register of the large-scale assessment. For official use."),
        columns=columns,
        rows=rows,
    )
    return parts.file(data, f"doi-ngu-{today:%Y%m%d}.xlsx", parts.EXCEL)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_people")
def add(request: HttpRequest) -> HttpResponse:
    """Put somebody into the register."""
    initial = {"place": own_place(request.user), "from_day": clock.today()}
    form = NewPersonForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.add_person(
                facts=_facts(form),
                post=_post(request, form),
                is_another=form.cleaned_data["is_another"],
                by=request.user,
            )
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("%(name)s stands in the register.") % {"name": made.full_name})
            return redirect("capacity:person", made.pk)
    page = parts.form_page(
        form, title=_("New person"), button=_("Put into the register"), back=reverse("capacity:people")
    )
    return _place_form(request, page)


def _facts(form: Any) -> PersonFacts:
    """Give what a form says of a person."""
    names = ("staff_code", "full_name", "birth_date", "email", "phone")
    return PersonFacts(**{name: form.cleaned_data[name] for name in names})


def _post(request: HttpRequest, form: Any) -> PostFacts:
    """Give the post that a form describes."""
    unit, school = place_of(form.cleaned_data["place"], access.scope_of(request.user, "change_people"))
    return PostFacts(
        kind=form.cleaned_data["kind"],
        from_day=form.cleaned_data["from_day"],
        unit=unit,
        school=school,
        title=form.cleaned_data["title"],
        decision=form.cleaned_data["decision"],
    )


def _place_form(request: HttpRequest, page: dict[str, Any]) -> HttpResponse:
    """Draw a form in which a place is typed, with the choices of small scopes below the field."""
    choices = choices_for(access.scope_of(request.user, "change_people"))
    status = 422 if page["form"].errors else 200
    return render(request, "capacity/form.html", page | {"places": choices}, status=status)


@require_safe
@requires("view_capacity")
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Show somebody: who it is and where, trainings and certificates, what happened."""
    found = parts.person_for(request, person_id)
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    titles = {
        "ho-so": _("Record"),
        "boi-duong": _("Trainings and certificates"),
        "lich-su": _("What happened"),
    }
    makers = {"ho-so": _record, "boi-duong": _trainings, "lich-su": _history}
    context = {
        "person": found,
        "tab": tab,
        "tabs": [{"title": titles[one], "url": f"?tab={one}", "is_current": one == tab} for one in TABS],
        "may_change": access.may_see(request.user, found, "change_people"),
    }
    return render(request, "capacity/person.html", context | makers[tab](found))


def _record(found: Person) -> dict[str, Any]:
    """Give posts, competences and days on which the person is not free."""
    posts = postings_of(found)
    today = clock.today()
    lying = places.lying_of(posts, today)
    return {
        "birth_date": birth_date_of(found.sealed_birth_date),
        "posts": [
            {
                "post": one,
                "place": places.place_name(one),
                "now": _lives_on(one, today),
                "is_present": one.valid_from <= today and (one.valid_to is None or one.valid_to > today),
                "is_divided": lying[one.pk].is_divided,
                "last_day": one.valid_to - datetime.timedelta(days=1) if one.valid_to else None,
            }
            for one in posts
        ],
        "competences": list(found.competences.all()),
        "hindrances": hindrances_of([found], today, today + AHEAD).get(found.pk, []),
        "competence_form": CompetenceForm(),
        "absence_form": AbsenceForm(),
    }


def _lives_on(post: Posting, day: datetime.date) -> list[str]:
    """Name the schools in which the school of a post lives on, where it has ended."""
    if post.school is None or post.school.is_open:
        return []
    return [one.name for one in present_successors_of_school(post.school, day)]


def _trainings(found: Person) -> dict[str, Any]:
    """Give the trainings and certificates of a person."""
    enrolments = found.enrolments.select_related("training__course").order_by("-training__first_day")
    today = clock.today()
    return {
        "enrolments": [{"enrolment": one, "state": words.enrolment_state(one)} for one in enrolments],
        "certificates": [
            {"certificate": one, "state": words.certificate_state(one, today)}
            for one in found.certificates.select_related("enrolment__training__course")
        ],
    }


def _history(found: Person) -> dict[str, Any]:
    """Give what the log says of a person."""
    entries = recording.history_of(kind="capacity.person", key=str(found.pk), limit=50)
    return {"entries": [{"entry": one, "word": recording.action_word(one.action)} for one in entries]}


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_people")
def change(request: HttpRequest, person_id: int) -> HttpResponse:
    """Change what is known of somebody."""
    found = parts.person_for(request, person_id, "change_people")
    initial = {
        "staff_code": found.staff_code,
        "full_name": found.full_name,
        "birth_date": birth_date_of(found.sealed_birth_date),
        "email": found.email,
        "phone": found.phone,
        "username": found.account.username if found.account else "",
    }
    form = ChangePersonForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            operations.change_person(
                person=found,
                facts=_facts(form),
                account=_account(form.cleaned_data["username"]),
                by=request.user,
            )
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("capacity:person", found.pk)
    back = reverse("capacity:person", args=[found.pk])
    page = parts.form_page(
        form, title=_("Change the record"), button=_("Save"), back=back, lead=found.full_name
    )
    return render(request, "capacity/form.html", page, status=422 if form.errors else 200)


def _account(username: str) -> User | None:
    """Find the account of a user name."""
    if not username.strip():
        return None
    found = User.objects.filter(username=normal_username(username)).first()
    if found is None:
        raise operations.CapacityRefusal(
            _("There is no account with the user name “%(name)s”.") % {"name": username.strip()},
            hint=_("Look it up under “People and accounts”, or leave the field empty."),
        )
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_people")
def give_post(request: HttpRequest, person_id: int) -> HttpResponse:
    """Give somebody a further post."""
    found = parts.person_for(request, person_id, "change_people")
    form = PostForm(
        request.POST or None, initial={"place": own_place(request.user), "from_day": clock.today()}
    )
    if request.method == "POST" and form.is_valid():
        try:
            operations.give_post(person=found, post=_post(request, form), by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The post is written down."))
            return redirect("capacity:person", found.pk)
    back = reverse("capacity:person", args=[found.pk])
    page = parts.form_page(
        form, title=_("Give a further post"), button=_("Save"), back=back, lead=found.full_name
    )
    return _place_form(request, page)


def _posting(request: HttpRequest, key: int) -> Posting:
    """Give a post of somebody in charge."""
    found = Posting.objects.select_related("person", "unit", "school").filter(pk=key).first()
    if found is None:
        raise Http404
    access.demand_person(request.user, found.person, "change_people")
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_people")
def move(request: HttpRequest, posting_id: int) -> HttpResponse:
    """Move somebody to another place."""
    found = _posting(request, posting_id)
    successors = (
        present_successors_of_school(found.school) if found.school and not found.school.is_open else []
    )
    proposed = typed_place(None, successors[0]) if len(successors) == 1 else ""
    initial = {"kind": found.kind, "title": found.title, "from_day": clock.today(), "place": proposed}
    form = PostForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            operations.move_person(posting=found, post=_post(request, form), by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("%(name)s was moved.") % {"name": found.person.full_name})
            return redirect("capacity:person", found.person_id)
    lead = f"{found.person.full_name} · {found.get_kind_display()} · {places.place_name(found)}"
    back = reverse("capacity:person", args=[found.person_id])
    page = parts.form_page(form, title=_("Move to another place"), button=_("Move"), back=back, lead=lead)
    if len(successors) > 1:
        page["hint"] = _("The school was divided into: %(names)s.") % {
            "names": "; ".join(typed_place(None, one) for one in successors)
        }
    return _place_form(request, page)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_people")
def end_post(request: HttpRequest, posting_id: int) -> HttpResponse:
    """End a post."""
    found = _posting(request, posting_id)
    form = EndPostForm(request.POST or None, initial={"last_day": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            operations.end_post(posting=found, last_day=form.cleaned_data["last_day"], by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The post has ended."))
            return redirect("capacity:person", found.person_id)
    lead = f"{found.person.full_name} · {found.get_kind_display()} · {places.place_name(found)}"
    back = reverse("capacity:person", args=[found.person_id])
    page = parts.form_page(form, title=_("End the post"), button=_("End the post"), back=back, lead=lead)
    return render(request, "capacity/form.html", page, status=422 if form.errors else 200)


@require_POST
@requires("change_people")
def competence(request: HttpRequest, person_id: int) -> HttpResponse:
    """Record a competence."""
    found = parts.person_for(request, person_id, "change_people")
    form = CompetenceForm(request.POST)
    return _short_form(
        request, found, form, operations.record_competence, _("The competence is written down.")
    )


@require_POST
@requires("change_people")
def absence(request: HttpRequest, person_id: int) -> HttpResponse:
    """Record days on which somebody takes no duty."""
    found = parts.person_for(request, person_id, "change_people")
    form = AbsenceForm(request.POST)
    return _short_form(request, found, form, operations.record_absence, _("The days are written down."))


def _short_form(request: HttpRequest, found: Person, form: Any, act: Any, said: str) -> HttpResponse:
    """Do what a short form on the page of a person asks; errors come as a page of their own."""
    if form.is_valid():
        try:
            act(person=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, said)
            return redirect("capacity:person", found.pk)
    back = reverse("capacity:person", args=[found.pk])
    page = parts.form_page(form, title=found.full_name, button=_("Save"), back=back)
    return render(request, "capacity/form.html", page, status=422)


@require_safe
@requires("change_people")
def divided(request: HttpRequest) -> HttpResponse:
    """List the posts at schools that were divided or closed, each with its way on."""
    rows = [
        {"post": one, "place": places.place_name(one), "now": _lives_on(one, clock.today())}
        for one in divided_postings(request.user)
    ]
    return render(request, "capacity/divided.html", {"rows": rows, "tabs": parts.tabs(request)})
