"""Pages for learners on a phone, without an account: attendance by the scanned code, the evaluation."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dienrong.capacity import operations
from dienrong.capacity.forms import EvaluationForm, LearnerForm
from dienrong.capacity.models import Half
from dienrong.capacity.numbering import initials
from dienrong.capacity.operations.attending import read_code
from dienrong.capacity.queries.training import training_of
from dienrong.capacity.views import parts
from dienrong.core import requests
from dienrong.core.refusals import Conflict

KEPT = "capacity_learner_code"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def attend(request: HttpRequest, code: str) -> HttpResponse:
    """Note that somebody is present: one field, one button."""
    try:
        training, day, half = read_code(code)
    except operations.CapacityRefusal as refusal:
        return render(request, "capacity/attend.html", {"refusal": refusal}, status=410)
    form = LearnerForm(request.POST or None, initial={"learner_code": request.session.get(KEPT, "")})
    context = {"training": training, "day": day, "half_word": Half(half).label, "form": form}
    if request.method == "POST" and form.is_valid():
        learner_code = form.cleaned_data["learner_code"]
        try:
            noted = operations.note_by_phone(
                code=code, learner_code=learner_code, address=requests.address_of(request)
            )
        except operations.LookUpLocked as refusal:
            return render(request, "capacity/attend.html", {"refusal": refusal}, status=429)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            request.session[KEPT] = learner_code
            context["who"] = initials(noted.enrolment.person.full_name)
            context["is_last_day"] = day == training.last_day
            return render(request, "capacity/attend.html", context)
    return render(request, "capacity/attend.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def evaluate(request: HttpRequest, training_id: int) -> HttpResponse:
    """Take the evaluation of a training."""
    training = training_of(training_id)
    if training is None:
        raise Http404
    form = EvaluationForm(request.POST or None, initial={"learner_code": request.session.get(KEPT, "")})
    if request.method == "POST" and form.is_valid():
        try:
            operations.evaluate(
                training=training,
                learner_code=form.cleaned_data["learner_code"],
                marks=form.marks,
                remark=form.cleaned_data["remark"],
                address=requests.address_of(request),
            )
        except operations.LookUpLocked as refusal:
            return render(request, "capacity/evaluate.html", {"refusal": refusal}, status=429)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            return render(request, "capacity/evaluate.html", {"training": training, "is_done": True})
    context = {"training": training, "form": form, "title": _("Evaluation of the training")}
    return render(request, "capacity/evaluate.html", context, status=422 if form.errors else 200)
