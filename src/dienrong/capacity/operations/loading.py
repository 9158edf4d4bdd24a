"""Rows of people and of marks written, and taken back as one step."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope, scope_of
from dienrong.audit.operations import record
from dienrong.capacity.models import Enrolment, Person, Posting
from dienrong.capacity.operations.people import set_birth_date
from dienrong.capacity.operations.refusals import NotNow
from dienrong.capacity.operations.results import record_scores
from dienrong.capacity.queries.comparing import FACTS, PersonRow, compare_scores, plan_people
from dienrong.capacity.queries.people import birth_date_of
from dienrong.capacity.queries.training import training_by_code
from dienrong.core.recording import ObjectName
from dienrong.core.row_changes import RowChange, Written

EVERYWHERE = Scope(is_national=True)


def _scope(by: Any) -> Scope:
    """Give the units in which a person writes; the system everywhere."""
    return EVERYWHERE if by is None else scope_of(by)


@transaction.atomic
def write_people(changes: Sequence[RowChange], *, by: Any, on_date: str) -> list[Written]:
    """Write new and changed rows of people: facts, and posts from a day on; all or nothing.

    A person who has a post of the kind elsewhere moves: the old post ends on the day on which the new one begins.

    Raises
    ------
    NotNow
        If a row can no longer be taken; nothing is written.
    """
    day = datetime.date.fromisoformat(on_date)
    rows = plan_people([(one.number, one.values) for one in changes], scope=_scope(by), on_date=on_date)
    if refused := [row.number for row in rows if row.problems]:
        raise NotNow(
            _("Rows can no longer be taken: %(rows)s.") % {"rows": ", ".join(map(str, refused[:5]))},
            hint=_("Look at the preview again."),
        )
    made: dict[str, Person] = {}
    written = []
    for row in rows:
        if row.person is None:
            row.person = made.get(row.values["staff_code"])
        if row.person is not None and not row.changes and row.values["staff_code"] not in made:
            continue
        written.append(_write(row, day, made))
    n_new = sum(one.before is None for one in written)
    record(
        action="capacity.people_loaded",
        actor=by,
        obj=ObjectName("capacity.people", on_date, on_date),
        after={"n_new": n_new, "n_changed": len(written) - n_new},
    )
    return written


def _write(row: PersonRow, day: datetime.date, made: dict[str, Person]) -> Written:
    """Write one row; somebody new comes with the first of the file's rows about them."""
    values, person = row.values, row.person
    before = _state(person, row.post) if person is not None else None
    if person is None:
        person = Person(staff_code=values["staff_code"])
        made[values["staff_code"]] = person
    birth = birth_date_of(person.sealed_birth_date)
    person.full_name = values["full_name"]
    person.email, person.phone = values.get("email", person.email), values.get("phone", person.phone)
    if "birth_date" in values:
        birth = datetime.date.fromisoformat(values["birth_date"])
    set_birth_date(person, birth)
    person.save()
    post, ended = row.post, None
    if row.is_moving:
        if post is not None:
            ended = _end(post, day, row.number)
        post = Posting.objects.create(
            person=person, kind=values["kind"], level=row.level, unit=row.unit, school=row.school,
            title=values.get("title", "")[:100], decision=values.get("decision", "")[:120], valid_from=day,
        )  # fmt: skip
    elif post is not None and values.get("title"):
        post.title = values["title"][:100]
        post.save(update_fields=["title"])
    after = _state(person, post) | {
        "ended_post": ended,
        "new_post": post.pk if row.is_moving and post else None,
    }
    return Written(number=row.number, key=str(person.pk), before=before, after=after)


def _end(post: Posting, day: datetime.date, number: int) -> int:
    """End a post on a day; one that began on that day or later cannot."""
    if post.valid_from >= day:
        raise NotNow(
            _("Row %(row)s moves somebody on %(day)s, but the present post begins on %(from)s.")
            % {"row": number, "day": f"{day:%d/%m/%Y}", "from": f"{post.valid_from:%d/%m/%Y}"},
            hint=_("Send the file again with a later day."),
        )
    post.valid_to = day
    post.save(update_fields=["valid_to"])
    return post.pk


def _state(person: Person, post: Posting | None) -> dict[str, Any]:
    """Write down what is kept of a person and a post, as JSON."""
    birth = birth_date_of(person.sealed_birth_date)
    return {
        "person": person.pk,
        "full_name": person.full_name,
        "birth_date": birth.isoformat() if birth is not None else None,
        "email": person.email,
        "phone": person.phone,
        "post": post.pk if post is not None else None,
        "title": post.title if post is not None else "",
    }


@transaction.atomic
def undo_people(written: Sequence[Written], *, by: Any) -> None:
    """Take written rows back, the last first.

    Raises
    ------
    NotNow
        If somebody was changed since, or is in a training by now; nothing is taken back.
    """
    for one in reversed(written):
        _undo(one)
    record(
        action="capacity.load_undone",
        actor=by,
        obj=ObjectName("capacity.people", "", ""),
        after={"n": len(written)},
    )


def _undo(one: Written) -> None:
    """Take one row back."""
    after = one.after
    person = Person.objects.select_for_update().filter(pk=after["person"]).first()
    post = Posting.objects.filter(pk=after["post"]).first()
    now = _state(person, post) if person is not None else {}
    if any(now.get(name) != after[name] for name in ("person", *FACTS, "post", "title")):
        raise NotNow(
            _("Row %(row)s was changed since it was taken.") % {"row": one.number},
            hint=_("Correct it on the page of the person instead."),
        )
    assert person is not None
    try:
        if after["new_post"] is not None:
            if Enrolment.objects.filter(posting=after["new_post"]).exists():
                raise NotNow(_("%(name)s was nominated for a training since.") % {"name": person.full_name})
            Posting.objects.filter(pk=after["new_post"]).delete()
        if after["ended_post"] is not None:
            Posting.objects.filter(pk=after["ended_post"]).update(valid_to=None)
        if one.before is None:
            if Posting.objects.filter(person=person).exists():
                raise NotNow(_("%(name)s was given another post since.") % {"name": person.full_name})
            person.delete()
            return
    except ProtectedError as error:
        raise NotNow(
            _("%(name)s was nominated for a training since.") % {"name": person.full_name}
        ) from error
    before = one.before
    person.full_name, person.email, person.phone = before["full_name"], before["email"], before["phone"]
    birth = before["birth_date"]
    set_birth_date(person, datetime.date.fromisoformat(birth) if birth else None)
    person.save()
    if before["post"] is not None:
        Posting.objects.filter(pk=before["post"]).update(title=before["title"])


@transaction.atomic
def write_scores(changes: Sequence[RowChange], *, by: Any, training_code: str) -> list[Written]:
    """Write marks that came in a file; all or nothing.

    Raises
    ------
    NotNow
        If a row can no longer be taken.
    """
    again = compare_scores(
        [(one.number, one.values) for one in changes], scope=_scope(by), training_code=training_code
    )
    if any(one.verdict == "refused" for one in again):
        raise NotNow(_("Rows can no longer be taken."), hint=_("Look at the preview again."))
    training = training_by_code(training_code)
    rows = [one for one in again if one.verdict == "changed"]
    if training is None or not rows:
        return []
    keys = dict(training.enrolments.values_list("learner_code", "pk"))
    scores: dict[int, Decimal | None] = {keys[one.key]: Decimal(one.values["score"]) for one in rows}
    record_scores(training=training, scores=scores, by=by)
    return [
        Written(
            number=one.number,
            key=one.key,
            before={"score": one.changes["score"][0]},
            after={"training": training.pk, "enrolment": keys[one.key], "score": one.changes["score"][1]},
        )
        for one in rows
    ]


@transaction.atomic
def undo_scores(written: Sequence[Written], *, by: Any, training_code: str) -> None:
    """Take marks of a file back.

    Raises
    ------
    NotNow
        If a mark was changed since, or the training is concluded.
    """
    training = training_by_code(training_code)
    if training is None or not written:
        return
    kept = dict(training.enrolments.values_list("pk", "score"))
    back: dict[int, Decimal | None] = {}
    for one in written:
        if kept.get(one.after["enrolment"]) != Decimal(one.after["score"]):
            raise NotNow(_("Row %(row)s was changed since it was taken.") % {"row": one.number})
        before = (one.before or {}).get("score")
        back[one.after["enrolment"]] = Decimal(before) if before is not None else None
    record_scores(training=training, scores=back, by=by)
    record(action="capacity.results_undone", actor=by, obj=training, after={"n": len(back)})
