"""Forms of a school: tracking form, session list, attendance sheet, labels; names stand there only when given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.core.formats import day_text, number_text
from dienrong.fieldwork import words
from dienrong.fieldwork.documents.document import NEW_PAGE, Block, Document, paragraph, signature, table
from dienrong.fieldwork.documents.letters import language
from dienrong.fieldwork.documents.printing import Label
from dienrong.fieldwork.models import FieldSchool, ListedPerson, TestSession

KINDS = {
    "theo-doi": gettext_lazy("Tracking form"),
    "buoi": gettext_lazy("Session list"),
    "diem-danh": gettext_lazy("Attendance sheet"),
    "nhan": gettext_lazy("Labels and sign-in slips"),
}


def people_of(school: FieldSchool) -> list[ListedPerson]:
    """List the selected people with their sessions, in the order of their codes."""
    people = school.people.filter(is_selected=True).select_related("test_session")
    return list(people.order_by("person_code"))


def cells(
    kind: str, people: Sequence[ListedPerson], names: Mapping[str, Any] | None
) -> tuple[list[str], list[list[Any]]]:
    """Give headings and rows of a form."""
    columns = [_("No."), _("Person code")]
    if names is not None:
        columns += [_("Full name"), _("Date of birth")]
    columns += [_("Class"), _("Sex"), _("Booklet"), _("Session")]
    ends = {
        "theo-doi": [_("Born"), _("Special needs"), _("Code"), _("Note")],
        "buoi": [_("Seat"), _("Note")],
        "diem-danh": [_("Present"), _("Code"), _("Signature")],
        "nhan": [],
    }[kind]
    rows = []
    for number, one in enumerate(people, start=1):
        row: list[Any] = [number, one.person_code]
        if names is not None:
            identity = names.get(one.study_id)
            row += [identity.full_name, day_text(identity.born)] if identity else ["–", "–"]
        row += [
            one.class_name,
            _sex(one),
            one.booklet or "–",
            one.test_session.number if one.test_session else "–",
        ]
        if kind == "theo-doi":
            row += [
                f"{one.birth_month or 0:02d}/{one.birth_year or '–'}",
                _("Yes") if one.has_special_needs else "",
                one.status or "",
                one.status_note,
            ]
        elif kind == "buoi":
            row += [number, ""]
        elif kind == "diem-danh":
            row += ["", "" if one.status is None else one.status, ""]
        rows.append(row)
    return columns + ends, rows


def _sex(one: ListedPerson) -> str:
    """Write the sex in words."""
    return {"female": _("Female"), "male": _("Male")}.get(one.sex, "–")


def form(
    kind: str, school: FieldSchool, people: Sequence[ListedPerson], names: Mapping[str, Any] | None
) -> Document:
    """Write a form as a document; the attendance sheet has a page a session."""
    blocks: list[Block] = []
    groups = _groups(kind, people)
    for place, (session, group) in enumerate(groups):
        columns, rows = cells(kind, group, names)
        if place:
            blocks.append(NEW_PAGE)
        if session is not None:
            blocks.append(paragraph(_session_text(session)))
        widths = (0.5, 1.7, *((2.6, 1.2) if names is not None else ()), *[1.0] * len(columns))[: len(columns)]
        blocks.append(table(columns, rows, widths=widths))
        if kind == "diem-danh":
            blocks.append(paragraph(_codes_text(school)))
            blocks.append(signature(_("Test administrator"), _("Coordinator of the school")))
    return Document(
        title=f"{KINDS[kind]} · {school.school.name}",
        subtitle=_(
            "%(code)s · %(commune)s · %(plan)s · school %(number)s · %(n)s people selected of %(listed)s listed"
        )
        % {
            "code": school.school.school_id,
            "commune": school.school.commune.full_name,
            "plan": school.plan.title,
            "number": f"{school.number:05d}",
            "n": number_text(len(people)),
            "listed": number_text(school.n_listed or 0),
        },
        blocks=tuple(blocks),
        source_line=source_line(names),
        language=language(),
        is_landscape=True,
    )


def source_line(names: Mapping[str, Any] | None) -> str:
    """Say how a form is to be treated."""
    if names is not None:
        return _("Personal data: keep this form closed and destroy it when the work is done.")
    return _("Without names: codes of the sample only.")


def _groups(kind: str, people: Sequence[ListedPerson]) -> list[tuple[TestSession | None, list[ListedPerson]]]:
    """Part the people by session where a form is for one session."""
    if kind == "theo-doi":
        return [(None, list(people))]
    groups: dict[int, tuple[TestSession | None, list[ListedPerson]]] = {}
    for one in people:
        key = one.test_session.number if one.test_session else 0
        groups.setdefault(key, (one.test_session, []))[1].append(one)
    return [groups[key] for key in sorted(groups)]


def _session_text(session: TestSession) -> str:
    """Write when and where a session is."""
    return _(
        "Session %(number)s (%(kind)s) · %(day)s %(time)s · room %(room)s · test administrator: %(who)s"
    ) % {
        "number": session.number,
        "kind": session.get_kind_display(),
        "day": day_text(session.on_date),
        "time": f"{session.begins_at:%H:%M}" if session.begins_at else "",
        "room": session.room or "……",
        "who": session.administrator_name or "…………………",
    }


def _codes_text(school: FieldSchool) -> str:
    """Write the codes that a form may bear."""
    found = [text for code, text in words.code_choices(school.plan.rules, "student") if code != 50]
    return _("Codes: %(codes)s.") % {"codes": "; ".join(found)}


def labels(
    school: FieldSchool, people: Sequence[ListedPerson], names: Mapping[str, Any] | None
) -> list[Label]:
    """Make a label a person."""
    found = []
    for one in people:
        identity = names.get(one.study_id) if names is not None else None
        session = one.test_session
        found.append(
            Label(
                top=f"{school.school.name[:38]} · {session.number if session else '–'}",
                code=f"{one.person_code[:4]} {one.person_code[4:9]} {one.person_code[9:]}",
                name=identity.full_name if identity else "",
                bottom=_("Class %(name)s · booklet %(booklet)s")
                % {"name": one.class_name, "booklet": one.booklet or "–"},
            )
        )
    return found
