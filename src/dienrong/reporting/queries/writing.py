"""Who writes and who reads the text of a province's report, and what stands in it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from dienrong.accounts import permissions
from dienrong.accounts.models import Assignment, Role, UnitKind, User
from dienrong.core.formats import day_text
from dienrong.core.text import sort_key
from dienrong.cycles.models import Cycle
from dienrong.reporting import quoting
from dienrong.reporting.headings import HEADINGS
from dienrong.reporting.models import Citation, FrozenText, Measure, ProvincialText, TextSection, TextVersion
from dienrong.reporting.numeric import Quoted, Words
from dienrong.rosters import charge

WRITE, READ = "write_provincial_report", "read_approved_texts"
State = ProvincialText.State


def may_write(user: Any, province: str) -> bool:
    """Tell whether a person writes the report of a province: an officer of its department, nobody else."""
    return province in charge.scope_with(user, WRITE).provinces


def may_read_approved(user: Any, province: str) -> bool:
    """Tell whether a person reads the approved text of a province: the ministry, and people of the province."""
    scope = charge.scope_with(user, READ)
    if scope.is_national or province in scope.provinces:
        return True
    rows = [row for row in permissions.assignments_of(user) if row.role in permissions.HOLDERS[READ]]
    return any(permissions.last_place(row).province_code == province for row in rows)


def provinces_written_by(user: Any) -> frozenset[str]:
    """Name the provinces whose report a person writes."""
    return charge.scope_with(user, WRITE).provinces


def text_of(cycle: Cycle, province: str) -> ProvincialText | None:
    """Give the text of a province."""
    rows = ProvincialText.objects.select_related("cycle", "handed_to", "handed_by", "noted_by")
    return rows.filter(cycle=cycle, province_code=province).first()


def sections_of(text: ProvincialText) -> dict[str, TextSection]:
    """Give the sections of a text by their keys."""
    return {one.key: one for one in text.sections.select_related("changed_by")}


def citations_of(text: ProvincialText) -> list[Citation]:
    """Give the figures that may be quoted in a text by a mark, in the order of the marks."""
    return list(text.citations.select_related("run"))


def versions_of(section: TextSection) -> QuerySet[TextVersion]:
    """Give what stood under a heading, the newest first."""
    return section.versions.select_related("made_by")


def version_of(section: TextSection, number: int) -> TextVersion | None:
    """Give one version of a section."""
    return versions_of(section).filter(number=number).first()


def open_conflicts(section: TextSection) -> list[TextVersion]:
    """Give the versions written at the same time that nobody has settled yet."""
    return list(versions_of(section).filter(kind=TextVersion.Kind.CONFLICT, settled_at=None))


def measures_of(text: ProvincialText) -> list[Measure]:
    """Give the rows of what is to be done."""
    return list(text.measures.all())


def measure_of(text: ProvincialText, key: int) -> Measure | None:
    """Give one row of what is to be done."""
    return text.measures.filter(pk=key).first()


def frozen_of(cycle: Cycle, province: str) -> FrozenText | None:
    """Give the newest approved text of a province."""
    rows = FrozenText.objects.select_related("run", "text", "frozen_by", "drafted_by")
    return rows.filter(text__cycle=cycle, text__province_code=province).first()


def earlier_words(text: ProvincialText, key: str) -> list[dict[str, Any]]:
    """Give what the same province wrote under a heading in earlier cycles, as it was approved."""
    rows = (
        FrozenText.objects.filter(text__province_code=text.province_code)
        .exclude(text__cycle=text.cycle_id)
        .select_related("text__cycle")
        .order_by("-text__cycle__first_test_date", "-number")
    )
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        body = row.content["sections"].get(key, "")
        if body and row.text.cycle_id not in found:
            found[row.text.cycle_id] = {"cycle": row.text.cycle, "paragraphs": quoting.paragraphs(body)}
    return list(found.values())


def approved_texts(cycle: Cycle) -> list[FrozenText]:
    """Give the newest approved text of every province that has one, by the code of the province."""
    rows = FrozenText.objects.filter(text__cycle=cycle).select_related("text", "run", "frozen_by")
    newest: dict[str, FrozenText] = {}
    for row in rows.order_by("text__province_code", "-number"):
        newest.setdefault(row.text.province_code, row)
    return list(newest.values())


def colleagues(user: Any, province: str) -> list[User]:
    """Give the other officers of a department who can approve a text, by name."""
    held = Assignment.objects.filter(
        role=Role.PROVINCE_OFFICER, unit_kind=UnitKind.PROVINCE, unit_code=province
    )
    people = User.objects.filter(pk__in=held.values("user"), is_active=True).exclude(pk=user.pk)
    return sorted(
        (one for one in people if may_write(one, province)), key=lambda one: sort_key(one.full_name)
    )


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What keeps a text from being handed over or approved, with the heading where it is mended."""

    key: str
    kind: str
    mark: str = ""
    paragraph: int = 0
    written: str = ""
    published: str = ""


def hindrances(text: ProvincialText, changed: dict[str, str | None]) -> list[Hindrance]:
    """Find empty headings, quotations that were altered, unknown marks, figures that changed, open conflicts.

    Parameters
    ----------
    text : ProvincialText
        The text.
    changed : dict
        For the marks whose figure changed with the present run, its new sentence; None where it is gone.
    """
    sections = sections_of(text)
    published = {one.mark: one.sentence for one in citations_of(text)}
    waiting = set(
        TextVersion.objects.filter(
            section__text=text, kind=TextVersion.Kind.CONFLICT, settled_at=None
        ).values_list("section__key", flat=True)
    )
    found: list[Hindrance] = []
    for heading in HEADINGS:
        body = sections[heading.key].body if heading.key in sections else ""
        if heading.is_asked and not quoting.paragraphs(body):
            found.append(Hindrance(heading.key, "empty"))
        found += [
            Hindrance(heading.key, one.kind, one.mark, one.paragraph, one.written, one.published)
            for one in quoting.faults(body, published)
        ]
        marks = {one.mark for one in quoting.mentions(body)}
        found += [
            Hindrance(heading.key, "changed", mark, 0, published.get(mark, ""), new or "")
            for mark, new in changed.items()
            if mark in marks
        ]
        if heading.key in waiting:
            found.append(Hindrance(heading.key, "conflict"))
    return found


def content_of(text: ProvincialText) -> dict[str, Any]:
    """Put the whole text together as plain data: words, figures that they quote, rows of what is to be done."""
    bodies = {key: section.body for key, section in sections_of(text).items()}
    used = {one.mark for body in bodies.values() for one in quoting.mentions(body)}
    return {
        "sections": {heading.key: bodies.get(heading.key, "") for heading in HEADINGS},
        "citations": [
            {
                "mark": one.mark,
                "key": one.key,
                "figure_id": one.figure_id,
                "source": one.source,
                "language": one.language,
                "sentence": one.sentence,
            }
            for one in citations_of(text)
            if one.mark in used
        ],
        "measures": [
            {
                "finding": one.finding,
                "cause": one.cause,
                "solution": one.solution,
                "owner": one.owner,
                "due": one.due.isoformat() if one.due else "",
                "follow_up": one.follow_up,
            }
            for one in measures_of(text)
        ],
    }


def words_of(content: dict[str, Any], *, is_draft: bool) -> Words:
    """Give a text as the report takes it."""

    def led(row: dict[str, str]) -> str:
        due = day_text(datetime.date.fromisoformat(row["due"])) if row["due"] else ""
        return ", ".join(part for part in (row["owner"], due) if part)

    return Words(
        sections=tuple(
            (key, quoting.paragraphs(body)) for key, body in content["sections"].items() if body.strip()
        ),
        quoted=tuple(
            Quoted(
                mark=one["mark"],
                sentence=one["sentence"],
                source=one["source"],
                figure_id=one["figure_id"],
            )
            for one in content["citations"]
        ),
        measures=tuple(
            (one["finding"], one["cause"], one["solution"], led(one), one["follow_up"])
            for one in content["measures"]
        ),
        is_draft=is_draft,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The words of a province that a reader may see, and whether they are approved."""

    words: Words
    frozen: FrozenText | None


def reading_for(user: Any, cycle: Cycle, province: str) -> Reading | None:
    """Give the words of a province that a person may read, or None.

    Its officers read what is being written; once it is approved, what was approved. The ministry, and people of
    the province's communes and schools, read what was approved alone. Nobody else reads a word.
    """
    if not getattr(user, "is_authenticated", False):
        return None
    text = text_of(cycle, province)
    if text is None:
        return None
    if may_write(user, province) and text.state != State.FINAL:
        return Reading(words=words_of(content_of(text), is_draft=True), frozen=None)
    if not may_read_approved(user, province):
        return None
    frozen = frozen_of(cycle, province)
    if frozen is None:
        return None
    return Reading(words=words_of(frozen.content, is_draft=False), frozen=frozen)
