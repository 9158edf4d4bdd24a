"""Lists of people, what is known of one, and where somebody is busy."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from dienrong.capacity import ports
from dienrong.capacity.models import Certificate, Enrolment, Person, Posting, Training, Unavailability
from dienrong.capacity.queries import access, places
from dienrong.capacity.queries.counting import certified_on
from dienrong.core import clock, sealing
from dienrong.core.text import search_key
from dienrong.registry.models import School
from dienrong.registry.queries import in_force

BIRTH_PURPOSE = "capacity.birth_date"
TWIN_PURPOSE = "capacity.twin"
CERTIFIED = ("", "yes", "no", "trained_only")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """What narrows a list of people; the empty text narrows nothing."""

    search: str = ""
    kind: str = ""
    level: str = ""
    certified: str = ""
    state: str = "present"

    @property
    def is_used(self) -> bool:
        """Whether anything is narrowed."""
        return self != PeopleFilter()


def find_people(user: Any, narrowed: PeopleFilter) -> QuerySet[Person]:
    """List the people of a person's units, in Vietnamese order, narrowed by words without marks and by posts."""
    today = clock.today()
    people = access.people_of(user)
    for word in search_key(narrowed.search).split():
        people = people.filter(search_key__contains=word)
    theirs = Posting.objects.filter(person=OuterRef("pk")).order_by()
    present = theirs.filter(in_force(today))
    if narrowed.kind:
        present = present.filter(kind=narrowed.kind)
    if narrowed.level:
        present = present.filter(level=narrowed.level)
    if narrowed.state == "left":
        people = people.filter(~Exists(theirs.filter(in_force(today))))
    elif narrowed.state == "present":
        people = people.filter(Exists(present))
    if narrowed.certified:
        people = people.filter(_certified(narrowed.certified, today))
    return people.order_by("sort_key", "staff_code")


def _certified(wanted: str, today: datetime.date) -> Q:
    """Limit people by whether they hold a certificate in force."""
    given = Certificate.objects.filter(person=OuterRef("pk"), issued_on__lte=today).order_by()
    holding = given.filter(
        Q(revoked_on__isnull=True) | Q(revoked_on__gt=today),
        Q(valid_to__isnull=True) | Q(valid_to__gt=today),
    )
    if wanted == "yes":
        return Q(Exists(holding))
    if wanted == "trained_only":
        done = Enrolment.objects.filter(person=OuterRef("pk"), state=Enrolment.State.COMPLETED).order_by()
        return Q(Exists(done)) & ~Q(Exists(holding))
    return ~Q(Exists(holding))


def certificate_marks(people: Iterable[Person]) -> dict[int, str]:
    """Tell of people whether they are certified, only trained, or neither today."""
    keys = [one.pk for one in people]
    today = clock.today()
    certified = certified_on(today)
    trained = set(
        Enrolment.objects.filter(person__in=keys, state=Enrolment.State.COMPLETED)
        .order_by()
        .values_list("person_id", flat=True)
    )
    return {key: "certified" if key in certified else "trained" if key in trained else "none" for key in keys}


def person_of(key: int) -> Person | None:
    """Give somebody of the register, whoever asks; views demand the scope."""
    return Person.objects.select_related("account").filter(pk=key).first()


def postings_of(person: Person) -> list[Posting]:
    """List the posts of a person, the last first."""
    found = Posting.objects.filter(person=person).select_related(
        "unit", "school__commune", "school__province"
    )
    return list(found.order_by("-valid_from", "kind"))


def birth_date_of(sealed: Any) -> datetime.date | None:
    """Open a sealed day of birth; None where none is kept."""
    if sealed is None or not bytes(sealed):
        return None
    return datetime.date.fromisoformat(sealing.open_sealed(BIRTH_PURPOSE, bytes(sealed)).decode())


def twin_digest(full_name: str, birth_date: datetime.date | None) -> str:
    """Give the digest by which the same name and day of birth are found again; empty without a day."""
    if birth_date is None:
        return ""
    return sealing.keyed_digest(TWIN_PURPOSE, f"{search_key(full_name)}|{birth_date.isoformat()}")


def divided_postings(user: Any) -> list[Posting]:
    """List the present posts in a person's units whose school was divided and which somebody must decide."""
    today = clock.today()
    scope = access.scope_of(user, "change_people")
    posts = Posting.objects.filter(in_force(today), school__is_open=False).filter(places.within(scope, today))
    found = list(posts.select_related("person", "school__commune", "school__province"))
    lying = places.lying_of(found, today)
    return [one for one in found if lying[one.pk].is_divided or not lying[one.pk].places]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why somebody should not take a duty: busy, away, or too close to the school."""

    kind: str
    text: str
    first_day: datetime.date
    last_day: datetime.date


def hindrances_of(
    people: Sequence[Person], first: datetime.date, last: datetime.date
) -> dict[int, list[Hindrance]]:
    """Tell where people are on duty, in training or away in some days, both included; by their keys.

    Four queries whatever the number of people, and what the fieldwork tells through its port.
    """
    keys = [one.pk for one in people]
    found: dict[int, list[Hindrance]] = defaultdict(list)
    away = Unavailability.objects.filter(person__in=keys, first_day__lte=last, last_day__gte=first)
    for row in away:
        found[row.person_id].append(
            Hindrance(kind="away", text=row.reason, first_day=row.first_day, last_day=row.last_day)
        )
    busy = (Enrolment.State.NOMINATED, Enrolment.State.CONFIRMED)
    inside = Enrolment.objects.filter(
        person__in=keys, state__in=busy, training__first_day__lte=last, training__last_day__gte=first
    ).exclude(training__state=Training.State.CANCELLED)
    for one in inside.select_related("training__course"):
        training = one.training
        text = f"{training.course.name} ({training.code})"
        found[one.person_id].append(
            Hindrance(kind="training", text=text, first_day=training.first_day, last_day=training.last_day)
        )
    accounts = {one.account_id: one.pk for one in people if one.account_id}
    for duty in ports.duties_of(accounts, first, last):
        found[accounts[duty.user_id]].append(
            Hindrance(kind="duty", text=duty.title, first_day=duty.day, last_day=duty.day)
        )
    return dict(found)


def works_at(person: Person, school: School, day: datetime.date) -> bool:
    """Tell whether somebody has a post on a day at a school, or at one that lives on in it."""
    posts = list(Posting.objects.filter(in_force(day), person=person, school__isnull=False))
    lying = places.lying_of(posts, day)
    return any(place.school == school.pk for one in lying.values() for place in one.places)


def person_of_account(user_id: int) -> Person | None:
    """Give the person of the register behind an account."""
    return Person.objects.filter(account=user_id).first()
