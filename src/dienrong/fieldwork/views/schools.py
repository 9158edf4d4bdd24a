"""The page of one school in the field and everything that is done there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import requires
from dienrong.core.formats import number_text
from dienrong.fieldwork import numeric, operations, visits, words
from dienrong.fieldwork.forms import (
    DayForm,
    DeclineForm,
    IncidentForm,
    ListForm,
    NameForm,
    NamesForm,
    PhoneForm,
    ReasonForm,
    SessionForm,
    StatusForm,
    VisitForm,
)
from dienrong.fieldwork.models import FieldSchool, Incident, ListedPerson
from dienrong.fieldwork.operations.lists import BEFORE_TEST_TREATMENTS, ListDiffers
from dienrong.fieldwork.operations.schools import SCHOOLS_OWN_CODES
from dienrong.fieldwork.operations.sessions import SessionFacts
from dienrong.fieldwork.queries import access
from dienrong.fieldwork.queries.make_up import make_up_of
from dienrong.fieldwork.views import parts
from dienrong.registry.queries import present_successors_of_school, school_by_id
from dienrong.rosters import charge

State = FieldSchool.State
TABS = ("viec", "nguoi", "buoi", "lich-su")


@require_GET
@requires("view_fieldwork")
def school(request: HttpRequest, school_id: int) -> HttpResponse:
    """Show a school: what comes next, its people, its sessions, what happened."""
    found = parts.school_of(request, school_id)
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    titles = {
        "viec": _("What comes next"),
        "nguoi": _("Selected people"),
        "buoi": _("Sessions and incidents"),
        "lich-su": _("What happened"),
    }
    may_answer = charge.may_at(request.user, "answer_fieldwork", found.school)
    context: dict[str, Any] = {
        "school": found,
        "fieldwork": found.plan.fieldwork,
        "state": parts.state_of(found),
        "tab": tab,
        "tabs": [{"title": titles[one], "url": f"?tab={one}", "is_current": one == tab} for one in TABS],
        "may_answer": may_answer,
        "may_change": charge.may_at(request.user, "change_fieldwork", found.school),
        "may_names": charge.may_at(request.user, "view_identities", found.school),
        "code_word": words.code_word(found.plan.rules, "school", found.participation_code),
    }
    makers: dict[str, Callable[[FieldSchool], dict[str, Any]]] = {
        "viec": _next,
        "nguoi": _people,
        "buoi": _sessions,
        "lich-su": _events,
    }
    return render(request, "fieldwork/school.html", context | makers[tab](found))


def _next(found: FieldSchool) -> dict[str, Any]:
    """Give what the first tab shows: the step that comes next, and what must be decided."""
    codes = {one.code: one for one in numeric.codes(found.plan.rules, "school")}
    code = codes.get(found.participation_code or 0)
    replaced = getattr(found, "replaced_by", None)
    return {
        "successors": [one for one in present_successors_of_school(found.school) if one.pk != found.school_id]
        if found.attention
        else [],
        "allows_replacement": bool(code and code.allows_replacement) and replaced is None,
        "replaced_by": replaced,
        "make_up": make_up_of(found),
        "list_form": ListForm(),
        "reason_form": ReasonForm(),
        "n_selected": found.people.filter(is_selected=True).count(),
        "difference": (found.n_listed - found.sampled.n_people) / found.sampled.n_people
        if found.n_listed and found.sampled.n_people
        else None,
    }


def _people(found: FieldSchool) -> dict[str, Any]:
    """Give the selected people with their codes."""
    people = list(found.people.filter(is_selected=True).select_related("test_session"))
    return {
        "people": [
            {"person": one, "word": words.code_word(found.plan.rules, "student", one.status)}
            for one in people
        ],
        "names_form": NamesForm(),
        "selection": found.selection
        | {"random_number": number_text(float(found.selection.get("random_number", 0)), 10)},
    }


def _sessions(found: FieldSchool) -> dict[str, Any]:
    """Give sessions, incidents and visits."""
    return {
        "sessions": list(
            found.test_sessions.select_related("administrator", "reported_by").order_by("number")
        ),
        "incidents": list(found.incidents.select_related("by")),
        "visits": list(found.visits.select_related("visitor")),
        "make_up": make_up_of(found),
        "incident_form": IncidentForm(),
    }


def _events(found: FieldSchool) -> dict[str, Any]:
    """Give what happened, the newest first."""
    events = found.events.select_related("by").order_by("-at", "-pk")
    return {"events": [{"event": one, "word": words.EVENTS.get(one.kind, one.kind)} for one in events]}


ANSWER_KEY = "fieldwork_answer"
STEPS: dict[int, Any] = {2: NameForm, 3: PhoneForm, 4: DayForm}


@require_http_methods(["GET", "HEAD", "POST"])
@requires("answer_fieldwork")
def answer(request: HttpRequest, school_id: int, step: int) -> HttpResponse:
    """Ask a school one question per screen: does it take part, who coordinates, telephone, day."""
    found = parts.school_of(request, school_id, "answer_fieldwork")
    kept = dict(request.session.get(ANSWER_KEY, {}).get(str(found.pk), {}))
    if step not in (1, *STEPS):
        raise Http404
    if step == 1:
        if request.method == "POST":
            is_yes = request.POST.get("answer") == "yes"
            return (
                redirect("fieldwork:answer", found.pk, 2)
                if is_yes
                else redirect("fieldwork:decline", found.pk)
            )
        return _answer_page(request, found, 1, None)
    form = STEPS[step](request.POST or None, initial=kept or {"coordinator_phone": found.school.phone})
    if request.method == "POST" and form.is_valid():
        kept |= {name: request.POST.get(name, "") for name in form.fields}
        request.session[ANSWER_KEY] = {str(found.pk): kept}
        if step < 4:
            return redirect("fieldwork:answer", found.pk, step + 1)
        operations.confirm_school(
            school=found,
            coordinator_name=kept.get("coordinator_name", ""),
            coordinator_phone=kept.get("coordinator_phone", ""),
            test_date=form.cleaned_data["test_date"],
            by=request.user,
        )
        request.session.pop(ANSWER_KEY, None)
        messages.success(request, _("The school takes part. Thank you. Next: the list of the grade."))
        return redirect("fieldwork:school", found.pk)
    return _answer_page(request, found, step, form)


def _answer_page(request: HttpRequest, found: FieldSchool, step: int, form: Any) -> HttpResponse:
    """Draw one question."""
    context = {"school": found, "fieldwork": found.plan.fieldwork, "step": step, "form": form, "n_steps": 4}
    return render(request, "fieldwork/answer.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("answer_fieldwork")
def decline(request: HttpRequest, school_id: int) -> HttpResponse:
    """Ask why a school does not take part."""
    found = parts.school_of(request, school_id, "answer_fieldwork")
    own = None if charge.may_at(request.user, "change_fieldwork", found.school) else SCHOOLS_OWN_CODES
    codes = [
        (code, text)
        for code, text in words.code_choices(found.plan.rules, "school", own)
        if code not in (1, 7, 12)
    ]
    form = DeclineForm(request.POST or None, codes=codes)
    if request.method == "POST" and form.is_valid():
        operations.decline_school(school=found, by=request.user, **form.cleaned_data)
        messages.success(request, _("It is written down that the school does not take part."))
        return redirect("fieldwork:school", found.pk)
    return render(
        request, "fieldwork/form.html", _form(found, form, _("Why does the school not take part?"), _("Send"))
    )


def _form(found: FieldSchool, form: Any, title: str, button: str) -> dict[str, Any]:
    """Give the page of a form about a school."""
    return {
        "school": found,
        "form": form,
        "title": title,
        "button": button,
        "back": reverse("fieldwork:school", args=[found.pk]),
    }


@require_POST
@requires("answer_fieldwork")
def send_list(request: HttpRequest, school_id: int) -> HttpResponse:
    """Freeze the list; a large difference is asked about on the same page."""
    found = parts.school_of(request, school_id, "answer_fieldwork")
    form = ListForm(request.POST)
    explanation = form.cleaned_data["explanation"] if form.is_valid() else ""
    try:
        n = operations.freeze_list(school=found, explanation=explanation, by=request.user)
    except ListDiffers as refusal:
        form = ListForm(initial={"explanation": explanation})
        page = _form(found, form, refusal.sentence, _("The list is right: send it in"))
        page |= {"hint": refusal.hint, "action": request.path}
        return render(request, "fieldwork/form.html", page, status=422)
    messages.success(request, _("The list with %(n)s people is sent in.") % {"n": n})
    return redirect("fieldwork:school", found.pk)


@require_POST
@requires("change_fieldwork")
def act(request: HttpRequest, school_id: int, action: str) -> HttpResponse:
    """Do one step of an officer at a school: select, replace, reopen, settle, conclude."""
    found = parts.school_of(request, school_id, "change_fieldwork")
    target = found.pk
    if action == "chon":
        n = operations.select_people(school=found, by=request.user)
        messages.success(request, _("%(n)s people were selected by lot.") % {"n": n})
    elif action == "thay-the":
        made = operations.call_replacement(school=found, by=request.user)
        messages.success(
            request, _("%(school)s is called on as the replacement.") % {"school": made.sampled.name}
        )
        target = made.pk
    elif action == "mo-lai":
        operations.reopen_school(school=found, reason=request.POST.get("text", ""), by=request.user)
        messages.success(request, _("The school takes part after all."))
    elif action == "quyet-dinh":
        chosen = school_by_id(request.POST.get("successor", "")) if request.POST.get("successor") else None
        operations.settle_attention(school=found, successor=chosen, by=request.user)
        messages.success(request, _("The decision is written down."))
    elif action == "ket-thuc":
        operations.conclude_school(school=found, by=request.user)
        messages.success(request, _("The school is concluded."))
    else:
        raise Http404
    return redirect("fieldwork:school", target)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("answer_fieldwork")
def status(request: HttpRequest, person_id: int) -> HttpResponse:
    """Give a person a code outside a session report."""
    person = ListedPerson.objects.filter(pk=person_id, is_selected=True).first()
    if person is None:
        raise Http404
    found = parts.school_of(request, person.field_school_id, "answer_fieldwork")
    kept = ("respondent", "nonrespondent", *BEFORE_TEST_TREATMENTS)
    treatments = kept if found.state == State.TESTED else BEFORE_TEST_TREATMENTS
    fitting = tuple(
        one.code for one in numeric.codes(found.plan.rules, "student") if one.treatment in treatments
    )
    codes = words.code_choices(found.plan.rules, "student", fitting)
    form = StatusForm(
        request.POST or None, codes=codes, initial={"code": person.status, "text": person.status_note}
    )
    if request.method == "POST" and form.is_valid():
        operations.set_status(
            person=person, code=form.cleaned_data["code"], text=form.cleaned_data["text"], by=request.user
        )
        messages.success(request, _("The code is written down."))
        return redirect(f"{reverse('fieldwork:school', args=[found.pk])}?tab=nguoi")
    title = _("Code of %(code)s") % {"code": person.person_code}
    return render(request, "fieldwork/form.html", _form(found, form, title, _("Save")))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("answer_fieldwork")
def plan_session(request: HttpRequest, school_id: int) -> HttpResponse:
    """Plan a session, or a make-up session."""
    found = parts.school_of(request, school_id, "answer_fieldwork")
    is_make_up = found.state == State.TESTED
    people = {str(one.pk): one for one in access.administrators_of(found.school)}
    form = SessionForm(
        request.POST or None, administrators=list(people.values()), initial={"on_date": found.test_date}
    )
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        values["administrator"] = people.get(values["administrator"])
        session = operations.plan_session(
            school=found, facts=SessionFacts(**values), is_make_up=is_make_up, by=request.user
        )
        messages.success(
            request, _("Session %(number)s with %(n)s people is planned.")
            % {"number": session.number, "n": session.people.count()},
        )  # fmt: skip
        return redirect(f"{reverse('fieldwork:school', args=[found.pk])}?tab=buoi")
    title = _("Plan a make-up session") if is_make_up else _("Plan a session")
    return render(request, "fieldwork/form.html", _form(found, form, title, _("Schedule")))


@require_POST
@requires("answer_fieldwork")
def incident(request: HttpRequest, school_id: int) -> HttpResponse:
    """Write down an incident."""
    found = parts.school_of(request, school_id, "answer_fieldwork")
    form = IncidentForm(request.POST)
    if not form.is_valid():
        page = _form(found, form, _("What went wrong?"), _("Write down")) | {"action": request.path}
        return render(request, "fieldwork/form.html", page, status=422)
    operations.record_incident(
        school=found,
        session=None,
        kind=form.cleaned_data["kind"],
        text=form.cleaned_data["text"],
        n_affected=form.cleaned_data["n_affected"] or 0,
        by=request.user,
    )
    messages.success(request, _("The incident is written down."))
    return redirect(f"{reverse('fieldwork:school', args=[found.pk])}?tab=buoi")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_fieldwork")
def settle_incident(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Write down how an incident was settled."""
    one = Incident.objects.filter(pk=incident_id).first()
    if one is None:
        raise Http404
    found = parts.school_of(request, one.field_school_id, "change_fieldwork")
    form = ReasonForm(request.POST or None)
    form.fields["text"].label = _("How it was settled")
    if request.method == "POST" and form.is_valid():
        operations.settle_incident(incident=one, text=form.cleaned_data["text"], by=request.user)
        messages.success(request, _("The incident is settled."))
        return redirect(f"{reverse('fieldwork:school', args=[found.pk])}?tab=buoi")
    return render(request, "fieldwork/form.html", _form(found, form, one.text, _("Settle")))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_fieldwork")
def visit(request: HttpRequest, school_id: int) -> HttpResponse:
    """Write down a visit with its check list."""
    found = parts.school_of(request, school_id, "change_fieldwork")
    form = VisitForm(request.POST or None)
    answers = {name: request.POST.get(name, "") for name in visits.QUESTIONS}
    if request.method == "POST" and form.is_valid():
        operations.record_visit(
            school=found,
            on_date=form.cleaned_data["on_date"],
            answers=answers,
            text=form.cleaned_data["text"],
            by=request.user,
        )
        messages.success(request, _("The visit is written down."))
        return redirect(f"{reverse('fieldwork:school', args=[found.pk])}?tab=buoi")
    page = _form(found, form, _("Visit of a quality monitor"), _("Save"))
    questions = [(name, text, answers[name]) for name, text in visits.QUESTIONS.items()]
    page |= {"questions": questions, "answers": visits.ANSWERS.items()}
    return render(request, "fieldwork/visit.html", page)
