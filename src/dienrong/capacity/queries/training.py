"""Trainings with their tallies, quotas and attendance; whom a person may nominate."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Avg, Count, FloatField, Q, QuerySet
from django.db.models.functions import Cast

from dienrong.capacity import words
from dienrong.capacity.models import (
    Attendance,
    Course,
    Enrolment,
    EvaluationAnswer,
    Half,
    Person,
    Posting,
    Quota,
    Training,
)
from dienrong.capacity.queries import access, places
from dienrong.core import clock
from dienrong.registry.queries import in_force

State = Enrolment.State
HOLDING = (State.NOMINATED, State.CONFIRMED, State.COMPLETED, State.NOT_COMPLETED)
TAKING_PART = (State.CONFIRMED, State.COMPLETED, State.NOT_COMPLETED)
FEWEST_EVALUATIONS = 5
"""Means of fewer answers would tell what single people said."""


def courses() -> QuerySet[Course]:
    """List the courses, with how often each was given."""
    return Course.objects.annotate(n_trainings=Count("trainings")).order_by("-is_open", "code")


def course_of(key: int) -> Course | None:
    """Give a course."""
    return Course.objects.filter(pk=key).first()


def training_of(key: int) -> Training | None:
    """Give a training, whoever asks; views demand the scope."""
    return Training.objects.select_related("course", "organizer").filter(pk=key).first()


def training_by_code(code: str) -> Training | None:
    """Give a training by its code."""
    return Training.objects.select_related("course", "organizer").filter(code=code.strip()).first()


def with_tallies(trainings: QuerySet[Training]) -> QuerySet[Training]:
    """Count beside trainings who is nominated, confirmed and done."""
    return trainings.annotate(
        n_nominated=Count("enrolments", filter=Q(enrolments__state=State.NOMINATED)),
        n_confirmed=Count("enrolments", filter=Q(enrolments__state__in=TAKING_PART)),
        n_completed=Count("enrolments", filter=Q(enrolments__state=State.COMPLETED)),
    )


def enrolments_of(user: Any, training: Training) -> QuerySet[Enrolment]:
    """List who is in a training: all for the organizer, the own people for others."""
    found = Enrolment.objects.filter(training=training).select_related(
        "person", "posting__unit", "posting__school"
    )
    if not access.may_run(user, training):
        found = found.filter(person__in=access.people_of(user).order_by().values("pk"))
    return found.annotate(n_halves_present=Count("attendances")).order_by("person__sort_key", "pk")


def enrolment_by_code(training: Training, code: str) -> Enrolment | None:
    """Give the enrolment of a learner code that takes part in a training."""
    found = Enrolment.objects.select_related("person", "training__course")
    return found.filter(training=training, learner_code=code, state__in=TAKING_PART).first()


def days_of(training: Training) -> list[datetime.date]:
    """List the days of a training."""
    n_days = (training.last_day - training.first_day).days + 1
    return [training.first_day + datetime.timedelta(days=place) for place in range(n_days)]


def half_now(moment: datetime.datetime) -> str:
    """Tell the half of the day of a moment, in the time zone of the pages: the morning ends at noon."""
    from django.utils import timezone

    return Half.MORNING if timezone.localtime(moment).hour < 12 else Half.AFTERNOON


def attendance_grid(training: Training) -> dict[int, set[tuple[datetime.date, str]]]:
    """Give, by enrolment, the half-days at which somebody was present."""
    rows = Attendance.objects.filter(enrolment__training=training).order_by()
    grid: dict[int, set[tuple[datetime.date, str]]] = {}
    for enrolment, day, half in rows.values_list("enrolment_id", "on_date", "half"):
        grid.setdefault(enrolment, set()).add((day, half))
    return grid


def attended_share(n_present: int, training: Training) -> float:
    """Give the attended share of the half-days taught, at most 1."""
    return min(1.0, n_present / training.n_halves)


def candidates(user: Any, training: Training, *, search: str = "") -> QuerySet[Person]:
    """List the people whom a person may nominate: in charge, with a post for whom the course is, not in it yet."""
    from dienrong.core.text import search_key

    today = clock.today()
    people = access.people_of(user, "nominate_people")
    posts = Posting.objects.filter(in_force(today), kind__in=training.course.audience).order_by()
    people = people.filter(pk__in=posts.values("person"))
    people = people.exclude(pk__in=Enrolment.objects.filter(training=training).order_by().values("person"))
    for word in search_key(search).split():
        people = people.filter(search_key__contains=word)
    return people.order_by("sort_key", "staff_code")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """A quota and how much of it is taken."""

    quota: Quota
    n_taken: int

    @property
    def n_left(self) -> int:
        """Places left; never below 0."""
        return max(0, self.quota.n_places - self.n_taken)

    @property
    def name(self) -> str:
        """Whose quota it is."""
        quota = self.quota
        return quota.school.name if quota.school is not None else str(getattr(quota.unit, "full_name", ""))


def quota_uses(training: Training) -> list[QuotaUse]:
    """List the quotas of a training with what is taken: nominated, confirmed, done; by where the post lies today."""
    quotas = list(Quota.objects.filter(training=training).select_related("unit", "school"))
    if not quotas:
        return []
    taken = places_taken(Enrolment.objects.filter(training=training, state__in=HOLDING))
    return [QuotaUse(quota=quota, n_taken=taken[key_of_quota(quota)]) for quota in quotas]


def key_of_quota(quota: Quota) -> tuple[str, int]:
    """Give what a quota is about as kind and key."""
    return ("school", quota.school_id or 0) if quota.school_id else ("unit", quota.unit_id or 0)


def places_taken(enrolments: Iterable[Enrolment]) -> Counter[tuple[str, int]]:
    """Count enrolments by every unit and school in which their posts lie."""
    taken: Counter[tuple[str, int]] = Counter()
    for keys in places_of_enrolments(enrolments).values():
        taken.update(keys)
    return taken


def places_of_enrolments(enrolments: Iterable[Enrolment]) -> dict[int, list[tuple[str, int]]]:
    """Give, by enrolment, the units and the school in which its post lies today."""
    rows = [one for one in enrolments if one.posting_id is not None]
    posts = {one.pk: one for one in Posting.objects.filter(pk__in=[row.posting_id for row in rows])}
    lying = places.lying_of(posts.values(), clock.today())
    found: dict[int, list[tuple[str, int]]] = {}
    for row in rows:
        sure = lying[row.posting_id].sure if row.posting_id in lying else None
        if sure is None:
            continue
        keys = [("unit", key) for key in (sure.province, sure.commune) if key]
        found[row.pk] = [*keys, ("school", sure.school)] if sure.school else keys
    return found


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The evaluations of a training: how many, the mean mark by question; None where too few answered."""

    n_answers: int
    means: tuple[tuple[str, float], ...] | None
    remarks: tuple[str, ...]


def evaluation_of(training: Training) -> Evaluation:
    """Sum up the evaluations of a training; nothing is told of fewer than five answers."""
    answers = list(EvaluationAnswer.objects.filter(training=training).values_list("marks", "remark"))
    if len(answers) < FEWEST_EVALUATIONS:
        return Evaluation(n_answers=len(answers), means=None, remarks=())
    means = []
    for name, sentence in words.QUESTIONS.items():
        marks = [int(one[name]) for one, _remark in answers if name in one]
        if marks:
            means.append((str(sentence), sum(marks) / len(marks)))
    remarks = tuple(sorted(remark for _marks, remark in answers if remark))
    return Evaluation(n_answers=len(answers), means=tuple(means), remarks=remarks)


def mean_score(training: Training) -> float | None:
    """Give the mean mark of the tests of a training; None where nobody was tested."""
    scores = Enrolment.objects.filter(training=training, score__isnull=False).order_by()
    return scores.aggregate(mean=Avg(Cast("score", FloatField())))["mean"]
