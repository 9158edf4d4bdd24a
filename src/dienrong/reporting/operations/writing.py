"""The words of a province's report: begun, saved, brought back; two who write at once lose nothing."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.cycles.models import Cycle
from dienrong.reporting import quoting
from dienrong.reporting.headings import HEADINGS
from dienrong.reporting.models import ProvincialText, TextSection, TextVersion
from dienrong.reporting.operations.refusals import WritingRefusal, demand_open, demand_writer, locked

ONE_VERSION = datetime.timedelta(minutes=10)
"""Saves of one person within this time are one version: an autosave every few seconds is no history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of a save: the section as it stands, and the version that holds words not taken over."""

    section: TextSection
    conflict: TextVersion | None = None


@transaction.atomic
def begin_text(*, cycle: Cycle, province: str, by: Any) -> ProvincialText:
    """Give the text of a province, made with its five headings where nobody has begun it."""
    demand_writer(by, province)
    text, is_new = ProvincialText.objects.get_or_create(cycle=cycle, province_code=province)
    if is_new:
        TextSection.objects.bulk_create([TextSection(text=text, key=one.key) for one in HEADINGS])
        record(action="reporting.text_begun", actor=by, obj=text, after={"province": province})
    return text


@transaction.atomic
def save_section(*, text: ProvincialText, key: str, body: str, edition: int, tab: str = "", by: Any) -> Saved:
    """Keep the words under a heading.

    Invariant: no words are lost. Where the heading was saved elsewhere since ``edition`` was read, the words sent
    are kept as a version beside it and nothing is overwritten; the person chooses.

    Raises
    ------
    NotAllowed
        If the person is no officer of the department.
    Conflict
        If the text is approved, or waits for somebody else's approval.
    WritingRefusal
        If the words are too long.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    demand_open(text, by)
    section = TextSection.objects.select_for_update().get(text=text, key=key)
    body = _checked(body)
    if body == section.body:
        return Saved(section=section)
    if edition != section.edition and not (
        tab and tab == section.changed_in and section.changed_by_id == by.pk
    ):
        return Saved(section=section, conflict=_kept_beside(section, body, edition, by))
    write(section, body, by=by, tab=tab)
    return Saved(section=section)


def _checked(body: str) -> str:
    """Clean the words; refuse what is longer than a report."""
    body = quoting.clean_body(body)
    if len(body) > quoting.LONGEST_BODY:
        raise WritingRefusal(
            _("These words are too long: %(n)s letters; a heading holds %(most)s.")
            % {"n": number_text(len(body)), "most": number_text(quoting.LONGEST_BODY)},
            hint=_("Shorten them, or move a part under another heading."),
        )
    return body


def write(
    section: TextSection, body: str, *, by: Any, tab: str = "", kind: str = TextVersion.Kind.WRITTEN
) -> None:
    """Put words under a heading as its next edition, with a version; the caller holds the section."""
    now = clock.now()
    before = len(section.body)
    section.body, section.edition = body, section.edition + 1
    section.changed_at, section.changed_by, section.changed_in = now, by, tab
    section.save()
    last = section.versions.first()
    goes_on = (
        kind == TextVersion.Kind.WRITTEN
        and last is not None
        and last.kind == kind
        and last.made_by_id == by.pk
        and now - last.begun_at < ONE_VERSION
    )
    if goes_on and last is not None:
        last.body, last.made_at, last.base_edition = body, now, section.edition
        last.save(update_fields=["body", "made_at", "base_edition"])
        return
    number = (last.number if last else 0) + 1
    TextVersion.objects.create(
        section=section,
        number=number,
        kind=kind,
        body=body,
        base_edition=section.edition,
        begun_at=now,
        made_at=now,
        made_by=by,
    )
    record(
        action="reporting.text_written" if kind == TextVersion.Kind.WRITTEN else "reporting.text_restored",
        actor=by,
        obj=section.text,
        before={"letters": before},
        after={"heading": section.key, "version": number, "letters": len(body)},
    )


def _kept_beside(section: TextSection, body: str, edition: int, by: Any) -> TextVersion:
    """Keep words that were written at the same time; the same person's next try replaces them."""
    now = clock.now()
    same = section.versions.filter(
        kind=TextVersion.Kind.CONFLICT, made_by=by, base_edition=edition, settled_at=None
    ).first()
    if same is not None:
        same.body, same.made_at = body, now
        same.save(update_fields=["body", "made_at"])
        return same
    last = section.versions.first()
    version = TextVersion.objects.create(
        section=section,
        number=(last.number if last else 0) + 1,
        kind=TextVersion.Kind.CONFLICT,
        body=body,
        base_edition=edition,
        begun_at=now,
        made_at=now,
        made_by=by,
    )
    record(
        action="reporting.text_conflict",
        actor=by,
        obj=section.text,
        after={"heading": section.key, "version": version.number},
    )
    return version


@transaction.atomic
def settle_conflict(
    *, text: ProvincialText, key: str, number: int, body: str, edition: int, by: Any
) -> Saved:
    """Keep the words that a person chose from two texts; both stay among the versions.

    Raises
    ------
    Conflict
        As for :func:`save_section`.
    """
    saved = save_section(text=text, key=key, body=body, edition=edition, by=by)
    if saved.conflict is None:
        saved.section.versions.filter(number=number, kind=TextVersion.Kind.CONFLICT, settled_at=None).update(
            settled_at=clock.now()
        )
        record(
            action="reporting.conflict_settled",
            actor=by,
            obj=text,
            after={"heading": key, "version": number},
        )
    return saved


@transaction.atomic
def restore_version(*, text: ProvincialText, key: str, number: int, by: Any) -> TextSection:
    """Bring back the words of an earlier version; what stands now stays among the versions.

    Raises
    ------
    Conflict
        If the text may not be changed now.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    demand_open(text, by)
    section = TextSection.objects.select_for_update().get(text=text, key=key)
    version = section.versions.get(number=number)
    if version.body != section.body:
        write(section, version.body, by=by, kind=TextVersion.Kind.RESTORED)
    return section
