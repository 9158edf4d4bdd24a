"""Frequent questions, the log of what was told, and the directory."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import directory, permissions
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed
from dienrong.core.text import clean_text
from dienrong.followup.queries.access import own_units
from dienrong.support.models import Contact, FrequentQuestion, Telling, Topic
from dienrong.support.refusals import SupportRefusal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TellingFacts:
    """What was told, when, by which way, to whom."""

    on_day: datetime.date
    channel: str
    audience: str
    title: str
    n_reached: int | None = None
    link: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """Whom to reach."""

    full_name: str
    position: str = ""
    duty: str = ""
    phone: str = ""
    email: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FrequentFacts:
    """A question with its answer."""

    topic: str
    question_vi: str
    answer_vi: str
    question_en: str = ""
    answer_en: str = ""
    position: int = 0
    is_public: bool = True


def own_place(by: Any) -> dict[str, str]:
    """Give the unit for which a person writes."""
    permissions.demand(by, "ask_questions")
    units = own_units(by)
    if not units:
        raise permissions.refusal_for(by, "ask_questions")
    kind, code = units[0]
    place = directory.place_of(kind, code) or directory.own_place(kind, code)
    name = directory.name_of(kind, code) if code else _("Ministry of Education and Training")
    return {
        "unit_kind": kind,
        "unit_code": code,
        "unit_name": name or code,
        "province_code": place.province_code or "",
        "commune_code": place.commune_code or "",
    }


@transaction.atomic
def write_telling(*, facts: TellingFacts, by: Any) -> Telling:
    """Write down what the own unit told.

    Raises
    ------
    SupportRefusal
        If nothing is said of it, the day lies in the future, or a choice is unknown.
    """
    place = own_place(by)
    values = dataclasses.asdict(facts) | {"title": clean_text(facts.title)[:300]}
    known = facts.channel in Telling.Channel.values and facts.audience in Telling.Audience.values
    if not values["title"] or not known:
        raise SupportRefusal(_("Say what was told, by which way and to whom."))
    if facts.on_day > clock.today():
        raise SupportRefusal(_("What was told lies on a day of today or earlier."))
    telling = Telling.objects.create(told_by=by, **place, **values)
    record(action="support.told", actor=by, obj=telling, after=values)
    return telling


@transaction.atomic
def save_contact(*, facts: ContactFacts, by: Any, contact: Contact | None = None) -> Contact:
    """Put a contact of the own unit into the directory, or change one of it.

    Raises
    ------
    NotAllowed
        If the contact is of another unit.
    SupportRefusal
        If the name is missing, or neither telephone nor e-mail is given.
    """
    place = own_place(by)
    values = {name: clean_text(value) for name, value in dataclasses.asdict(facts).items()}
    if not values["full_name"] or not (values["phone"] or values["email"]):
        raise SupportRefusal(_("A contact has a name, and a telephone number or an e-mail address."))
    if contact is None:
        contact = Contact.objects.create(**place, **values)
        record(action="support.contact_added", actor=by, obj=contact, after=values)
        return contact
    contact = _own_contact(contact, by)
    before = {name: getattr(contact, name) for name in values}
    for name, value in values.items():
        setattr(contact, name, value)
    contact.save()
    changed = {name: value for name, value in values.items() if before[name] != value}
    if changed:
        old = {name: before[name] for name in changed}
        record(action="support.contact_changed", actor=by, obj=contact, before=old, after=changed)
    return contact


def _own_contact(contact: Contact, by: Any) -> Contact:
    """Lock a contact of the own unit; refuse those of others."""
    found = Contact.objects.select_for_update().get(pk=contact.pk)
    if (found.unit_kind, found.unit_code) not in own_units(by):
        raise NotAllowed(
            _("This contact is kept by the staff of %(unit)s.") % {"unit": found.unit_name},
            whom_to_ask=permissions.whom_to_ask(by),
        )
    return found


@transaction.atomic
def delete_contact(*, contact: Contact, by: Any) -> None:
    """Take a contact of the own unit out of the directory.

    Raises
    ------
    NotAllowed
        If the contact is of another unit.
    """
    permissions.demand(by, "ask_questions")
    found = _own_contact(contact, by)
    record(action="support.contact_deleted", actor=by, obj=found, before={"full_name": found.full_name})
    found.delete()


@transaction.atomic
def save_frequent(
    *, facts: FrequentFacts, by: Any, frequent: FrequentQuestion | None = None
) -> FrequentQuestion:
    """Write a frequent question, or change one; the ministry alone.

    Raises
    ------
    NotAllowed
        If the person is not of the ministry.
    SupportRefusal
        If the Vietnamese question or answer is missing.
    """
    permissions.demand(by, "write_frequent_questions")
    values = dataclasses.asdict(facts)
    for name in ("question_vi", "question_en"):
        values[name] = clean_text(values[name])
    for name in ("answer_vi", "answer_en"):
        values[name] = values[name].strip()
    if not values["question_vi"] or not values["answer_vi"] or facts.topic not in Topic.values:
        raise SupportRefusal(_("A frequent question has a question and an answer in Vietnamese."))
    is_new = frequent is None
    row = (
        FrequentQuestion()
        if frequent is None
        else FrequentQuestion.objects.select_for_update().get(pk=frequent.pk)
    )
    before = None if is_new else {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    record(action="support.frequent_question_saved", actor=by, obj=row, before=before, after=values)
    return row
