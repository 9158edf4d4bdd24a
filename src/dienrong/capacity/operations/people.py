"""People of the register: added, changed, posted, moved, with their competences and absences."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from dienrong.accounts.models import User
from dienrong.audit.operations import record
from dienrong.capacity.models import Competence, Kind, Level, Person, Posting, Unavailability
from dienrong.capacity.operations.refusals import CapacityRefusal, NotNow, TwinFound, demand_text
from dienrong.capacity.queries import access
from dienrong.capacity.queries.people import BIRTH_PURPOSE, birth_date_of, twin_digest
from dienrong.capacity.queries.places import place_name
from dienrong.core import clock, sealing
from dienrong.core.text import clean_text
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.rosters.cells import NAME, STAFF_CODE

YOUNGEST, OLDEST = 15, 100
LEVELS_OF_KIND = {
    Kind.TEACHER: (Level.SCHOOL,),
    Kind.TESTING_STAFF: (Level.NATION, Level.PROVINCE, Level.COMMUNE),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """What is known of a person; the day of birth only where it is needed."""

    staff_code: str
    full_name: str
    birth_date: datetime.date | None = None
    email: str = ""
    phone: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PostFacts:
    """A post: what, where, from when; without unit and school it is at the ministry."""

    kind: str
    from_day: datetime.date
    unit: AdministrativeUnit | None = None
    school: School | None = None
    title: str = ""
    decision: str = ""

    @property
    def level(self) -> str:
        """The level at which the post lies."""
        if self.school is not None:
            return Level.SCHOOL
        return Level.NATION if self.unit is None else Level(self.unit.level)


@transaction.atomic
def add_person(*, facts: PersonFacts, post: PostFacts, by: Any, is_another: bool = False) -> Person:
    """Put somebody into the register, with a first post.

    Raises
    ------
    NotAllowed
        If the post does not lie in the person's charge.
    CapacityRefusal
        If a cell cannot be taken, or the staff code stands in the register.
    TwinFound
        If somebody of this name and day of birth stands there and ``is_another`` is not said.
    """
    access.demand_place(by, "change_people", unit=post.unit, school=post.school)
    facts = checked_facts(facts)
    if Person.objects.filter(staff_code=facts.staff_code).exists():
        raise CapacityRefusal(
            _("The staff code %(code)s stands in the register already.") % {"code": facts.staff_code},
            hint=_("Search for it; if the person works elsewhere, ask the level above to move the post."),
        )
    digest = twin_digest(facts.full_name, facts.birth_date)
    if digest and not is_another and Person.objects.filter(twin_digest=digest).exists():
        raise TwinFound(
            _("Somebody with this name and day of birth stands in the register already."),
            hint=_(
                "Search for the name. If it is somebody else, tick “this is another person” and send again."
            ),
        )
    person = Person(
        staff_code=facts.staff_code, full_name=facts.full_name, email=facts.email, phone=facts.phone
    )
    set_birth_date(person, facts.birth_date)
    person.save()
    record(action="capacity.person_added", actor=by, obj=person, after={"staff_code": person.staff_code})
    _post(person, post, by)
    return person


def set_birth_date(person: Person, day: datetime.date | None) -> None:
    """Seal a day of birth into a person that is not saved yet, with the digest of name and day."""
    person.sealed_birth_date = (
        sealing.seal(BIRTH_PURPOSE, day.isoformat().encode()) if day is not None else None
    )
    person.twin_digest = twin_digest(person.full_name, day)


def checked_facts(facts: PersonFacts) -> PersonFacts:
    """Give facts in their clean form.

    Raises
    ------
    CapacityRefusal
        If the code, the name or the day of birth cannot be one.
    """
    code = clean_text(facts.staff_code).replace(" ", "")
    if not STAFF_CODE.fullmatch(code):
        raise CapacityRefusal(
            _("The staff code “%(code)s” cannot be one: 3 to 30 letters and digits.") % {"code": code},
            hint=_("Take the code of the sector database."),
        )
    name = clean_text(facts.full_name)
    if not NAME.fullmatch(name) or " " not in name or len(name) > 120:
        raise CapacityRefusal(
            _("“%(name)s” is no full name.") % {"name": name},
            hint=_("Write family name and given name in letters, such as “Nguyễn Thị An”."),
        )
    _demand_birth(facts.birth_date)
    return dataclasses.replace(
        facts,
        staff_code=code,
        full_name=name,
        email=clean_text(facts.email),
        phone=clean_text(facts.phone)[:30],
    )


def _demand_birth(day: datetime.date | None) -> None:
    """Refuse a day of birth of somebody too young or too old to work."""
    if day is None:
        return
    age = clock.today().year - day.year
    if not YOUNGEST <= age <= OLDEST:
        raise CapacityRefusal(
            _("The day of birth %(day)s cannot be that of somebody at work.") % {"day": f"{day:%d/%m/%Y}"},
            hint=_("Correct the year."),
        )


@transaction.atomic
def change_person(*, person: Person, facts: PersonFacts, account: User | None, by: Any) -> Person:
    """Change what is known of a person; an empty day of birth leaves the kept one.

    Raises
    ------
    NotAllowed
        If the person works in no unit in charge.
    CapacityRefusal
        If a cell cannot be taken, the staff code is somebody else's, or the account is.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    access.demand_person(by, person, "change_people")
    facts = checked_facts(facts)
    others = Person.objects.exclude(pk=person.pk)
    if others.filter(staff_code=facts.staff_code).exists():
        raise CapacityRefusal(
            _("The staff code %(code)s stands in the register already.") % {"code": facts.staff_code}
        )
    if account is not None and others.filter(account=account).exists():
        raise CapacityRefusal(
            _("The account %(name)s belongs to somebody else of the register.") % {"name": account.username}
        )
    before = {"staff_code": person.staff_code, "full_name": person.full_name}
    person.staff_code, person.full_name = facts.staff_code, facts.full_name
    person.email, person.phone, person.account = facts.email, facts.phone, account
    set_birth_date(person, facts.birth_date or birth_date_of(person.sealed_birth_date))
    person.save()
    after = {"staff_code": person.staff_code, "full_name": person.full_name}
    record(action="capacity.person_changed", actor=by, obj=person, before=before, after=after)
    return person


@transaction.atomic
def give_post(*, person: Person, post: PostFacts, by: Any) -> Posting:
    """Give somebody a further post.

    Raises
    ------
    NotAllowed
        If neither person nor place is in charge.
    CapacityRefusal
        If the kind does not exist at that level, or the place had ended.
    NotNow
        If the person holds this post at that time.
    """
    access.demand_person(by, person, "change_people")
    access.demand_place(by, "change_people", unit=post.unit, school=post.school)
    return _post(person, post, by)


def _post(person: Person, post: PostFacts, by: Any, action: str = "capacity.posted") -> Posting:
    """Write a post, checked."""
    demand_post(post)
    same = Posting.objects.filter(person=person, kind=post.kind, unit=post.unit, school=post.school)
    if same.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=post.from_day)).exists():
        raise NotNow(_("%(name)s holds this post at that time already.") % {"name": person.full_name})
    made = Posting.objects.create(
        person=person,
        kind=post.kind,
        level=post.level,
        unit=post.unit,
        school=post.school,
        title=clean_text(post.title)[:100],
        decision=clean_text(post.decision)[:120],
        valid_from=post.from_day,
    )
    after = {"kind": post.kind, "at": place_name(made), "from": post.from_day}
    record(action=action, actor=by, obj=person, after=after)
    return made


def demand_post(post: PostFacts) -> None:
    """Refuse a post that cannot be: a kind that does not exist at the level, a place that is not open on the day.

    Raises
    ------
    CapacityRefusal
        With what does not fit.
    """
    if post.kind not in Kind.values:
        raise CapacityRefusal(_("Choose what the person is."))
    allowed = LEVELS_OF_KIND.get(Kind(post.kind))
    if allowed and post.level not in allowed:
        words = ", ".join(str(level.label) for level in allowed)
        raise CapacityRefusal(
            _("A post as “%(kind)s” lies at: %(levels)s.") % {"kind": Kind(post.kind).label, "levels": words},
            hint=_("Choose another unit or another kind."),
        )
    if post.school is not None:
        holds = post.school.versions.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=post.from_day), valid_from__lte=post.from_day
        ).exists()
        if not holds and not (post.school.is_open and post.from_day <= clock.today()):
            raise CapacityRefusal(
                _("The school %(school)s is not open on %(day)s.")
                % {"school": post.school.name, "day": f"{post.from_day:%d/%m/%Y}"},
                hint=_("Choose the school in which it lives on, or an earlier day."),
            )
    unit = post.unit
    if unit is not None and unit.valid_to is not None and unit.valid_to <= post.from_day:
        raise CapacityRefusal(
            _("%(unit)s ended before %(day)s.")
            % {"unit": unit.full_name, "day": f"{post.from_day:%d/%m/%Y}"},
            hint=_("Choose the unit in which it lives on."),
        )


@transaction.atomic
def move_person(*, posting: Posting, post: PostFacts, by: Any) -> Posting:
    """Move somebody: the old post ends on the day on which the new one begins, so no day has none or two.

    Raises
    ------
    NotAllowed
        If the old post or the new place is not in charge: moves between units are made by who has charge of both.
    NotNow
        If the old post ended, or began on that day or later.
    CapacityRefusal
        If the new post cannot be.
    """
    posting = (
        Posting.objects.select_for_update(of=("self",))
        .select_related("person", "unit", "school")
        .get(pk=posting.pk)
    )
    access.demand_place(by, "change_people", unit=posting.unit, school=posting.school)
    access.demand_place(by, "change_people", unit=post.unit, school=post.school)
    _end(posting, post.from_day)
    return _post(posting.person, post, by, action="capacity.moved")


@transaction.atomic
def end_post(*, posting: Posting, last_day: datetime.date, by: Any) -> None:
    """End a post; ``last_day`` is the last on which it is held.

    Raises
    ------
    NotAllowed
        If the post is not in charge.
    NotNow
        If it ended before, or begins after that day.
    """
    posting = (
        Posting.objects.select_for_update(of=("self",))
        .select_related("person", "unit", "school")
        .get(pk=posting.pk)
    )
    access.demand_place(by, "change_people", unit=posting.unit, school=posting.school)
    _end(posting, last_day + datetime.timedelta(days=1))
    after = {"kind": posting.kind, "at": place_name(posting), "last_day": last_day}
    record(action="capacity.post_ended", actor=by, obj=posting.person, after=after)


def _end(posting: Posting, valid_to: datetime.date) -> None:
    """End a post before a day."""
    if posting.valid_to is not None and posting.valid_to <= valid_to:
        raise NotNow(_("This post has ended already."))
    if posting.valid_from >= valid_to:
        raise NotNow(
            _("The post begins on %(day)s; it cannot end before.")
            % {"day": f"{posting.valid_from:%d/%m/%Y}"},
            hint=_("Choose a later day."),
        )
    posting.valid_to = valid_to
    posting.save(update_fields=["valid_to"])


@transaction.atomic
def record_competence(
    *, person: Person, area: str, grade: int, ground: str, valid_to: datetime.date | None, by: Any
) -> Competence:
    """Write down what somebody can do, on which ground, from today on.

    Raises
    ------
    NotAllowed
        If the person works in no unit in charge.
    CapacityRefusal
        If area, grade or ground is missing, or the end does not lie ahead.
    """
    access.demand_person(by, person, "change_people")
    if area not in Competence.Area.values or grade not in Competence.Grade.values:
        raise CapacityRefusal(_("Choose the area and how far the person can do it."))
    today = clock.today()
    if valid_to is not None and valid_to <= today:
        raise CapacityRefusal(_("A competence ends on a later day than today."))
    text = demand_text(ground, _("Write on which ground the competence is recorded."))[:200]
    made, is_new = Competence.objects.update_or_create(
        person=person,
        area=area,
        on_date=today,
        defaults={"grade": grade, "ground": text, "valid_to": valid_to, "recorded_by": by},
    )
    record(
        action="capacity.competence_recorded",
        actor=by,
        obj=person,
        after={"area": area, "grade": grade, "is_new": is_new},
    )
    return made


@transaction.atomic
def record_absence(
    *, person: Person, first_day: datetime.date, last_day: datetime.date, reason: str, by: Any
) -> Unavailability:
    """Write down days on which somebody takes no duty.

    Raises
    ------
    NotAllowed
        If the person works in no unit in charge.
    CapacityRefusal
        If the days are turned round, or no reason is written.
    """
    access.demand_person(by, person, "change_people")
    if last_day < first_day:
        raise CapacityRefusal(_("The last day lies before the first."), hint=_("Correct one of them."))
    text = demand_text(reason, _("Write why the person is away."), hint=_("Such as: on leave. No illnesses."))
    made = Unavailability.objects.create(
        person=person, first_day=first_day, last_day=last_day, reason=text[:200]
    )
    after = {"first_day": first_day, "last_day": last_day}
    record(action="capacity.absence_recorded", actor=by, obj=person, after=after)
    return made
