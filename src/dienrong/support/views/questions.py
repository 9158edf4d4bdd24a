"""Pages of questions and of the frequent ones."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.models import UnitKind
from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.core.text import search_key
from dienrong.support import access, operations, words
from dienrong.support.forms import AskForm, FrequentForm, WordsForm
from dienrong.support.models import FrequentQuestion, Question
from dienrong.support.operations import FrequentFacts
from dienrong.support.views import parts

FACTS = ("topic", "question_vi", "answer_vi", "question_en", "answer_en", "position", "is_public")


@require_safe
@requires("ask_questions")
def questions(request: HttpRequest) -> HttpResponse:
    """List the questions that the person reads; those that wait for the own answer first."""
    chosen, wanted = request.GET.get("loc", ""), search_key(request.GET.get("q", ""))
    every = access.questions_of(request.user)
    mine = access.answerable_by(request.user).filter(state=Question.State.OPEN)
    lists = {"": every, "cho": mine, **{state: every.filter(state=state) for state in Question.State.values}}
    found = lists.get(chosen, every)
    for word in wanted.split():
        found = found.filter(search_key__contains=word)
    chips = [("", _("All")), *Question.State.choices]
    if permissions.may(request.user, "answer_questions"):
        chips.insert(1, ("cho", _("Wait for my answer")))
    page = parts.page_of(request, found)
    today = clock.today()
    context = {
        "tabs": parts.tabs(request),
        "page": page,
        "rows": [{"question": one, "state": words.question_state(one, today)} for one in page.object_list],
        "chips": [
            {
                "title": title,
                "url": f"?loc={value}" if value else "?",
                "is_current": value == chosen,
                "count": lists[value].count(),
            }
            for value, title in chips
        ],
        "wanted": request.GET.get("q", ""),
        "chosen": chosen,
    }
    return render(request, "support/questions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("ask_questions")
def ask(request: HttpRequest) -> HttpResponse:
    """Ask a question."""
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = parts.tried(form, lambda: operations.ask(by=request.user, **form.cleaned_data))
        if made is not None:
            messages.success(
                request, _("The question is on its way; you see the answer here and on your first page.")
            )
            return redirect("support:question", made.pk)
    return parts.form_page(
        request,
        form,
        title=_("Ask for help"),
        button=_("Send it"),
        back=reverse("support:questions"),
        hint=_("Look first whether the answer stands among the frequent questions."),
        hint_url=reverse("support:frequent"),
    )


def _question(request: HttpRequest, key: int) -> Question:
    """Give a question that the person may read; refuse others."""
    found = Question.objects.filter(pk=key).first()
    if found is None:
        raise Http404
    if not access.questions_of(request.user).filter(pk=key).exists():
        raise NotAllowed(
            _("This question is of a unit that is not in your charge."),
            whom_to_ask=permissions.whom_to_ask(request.user),
        )
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@requires("ask_questions")
def question(request: HttpRequest, question_id: int) -> HttpResponse:
    """Show a question with all that was said; whoever stands at its level answers here."""
    found = _question(request, question_id)
    may_answer = access.answerable_by(request.user).filter(pk=found.pk).exists()
    may_answer = may_answer and found.state != Question.State.CLOSED
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        body = form.cleaned_data["words"]
        if parts.tried(form, lambda: operations.answer(question=found, words=body, by=request.user)):
            messages.success(request, _("The answer was sent."))
            return redirect("support:question", found.pk)
    context = {
        "question": found,
        "state": words.question_state(found, clock.today()),
        "entries": found.messages.select_related("by"),
        "form": form,
        "may_answer": may_answer,
        "may_pass_up": may_answer and found.level != UnitKind.NATION,
        "may_settle": access.is_of_own_unit(request.user, found) and found.state != Question.State.CLOSED,
        "level": UnitKind(found.level).label,
    }
    return render(request, "support/question.html", context, status=422 if form.errors else 200)


@require_POST
@requires("answer_questions")
def pass_up(request: HttpRequest, question_id: int) -> HttpResponse:
    """Pass a question to the level above."""
    found = _question(request, question_id)
    try:
        operations.pass_up(question=found, words=request.POST.get("words", ""), by=request.user)
    except (operations.SupportRefusal, operations.NotNow) as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, _("The question stands at the level above now."))
    return redirect("support:question", found.pk)


@require_POST
@requires("ask_questions")
def settle(request: HttpRequest, question_id: int) -> HttpResponse:
    """Say that a question is settled."""
    found = _question(request, question_id)
    try:
        operations.settle(question=found, by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, _("Settled."))
    return redirect("support:question", found.pk)


@require_safe
def frequent(request: HttpRequest) -> HttpResponse:
    """Show the frequent questions to everyone."""
    may_write = permissions.may(request.user, "write_frequent_questions")
    rows = FrequentQuestion.objects.all() if may_write else FrequentQuestion.objects.filter(is_public=True)
    wanted = search_key(request.GET.get("q", ""))
    shown = [
        one
        for one in rows
        if all(word in search_key(f"{one.question} {one.answer}") for word in wanted.split())
    ]
    context = {
        "tabs": parts.tabs(request) if permissions.may(request.user, "ask_questions") else [],
        "rows": shown,
        "may_write": may_write,
        "wanted": request.GET.get("q", ""),
        "may_ask": permissions.may(request.user, "ask_questions"),
    }
    return render(request, "support/frequent.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("write_frequent_questions")
def save_frequent(request: HttpRequest, frequent_id: int = 0) -> HttpResponse:
    """Write or change a frequent question."""
    row = FrequentQuestion.objects.filter(pk=frequent_id).first()
    if frequent_id and row is None:
        raise Http404
    initial = {name: getattr(row, name) for name in FACTS} if row is not None else {}
    form = FrequentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        facts = FrequentFacts(**form.cleaned_data)
        if parts.tried(form, lambda: operations.save_frequent(facts=facts, by=request.user, frequent=row)):
            messages.success(request, _("Saved."))
            return redirect("support:frequent")
    return parts.form_page(
        request, form, title=_("Frequent question"), button=_("Save"), back=reverse("support:frequent")
    )
