"""Reads of calls, reports, their words and heads; and whether a kept value can be computed again."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.plans.models import (
    Phase,
    PlanDocument,
    PlanReport,
    Reminder,
    ReportCall,
    ReportHead,
    ReportText,
    Snapshot,
)
from dienrong.plans.queries import access
from dienrong.plans.queries.documents import documents_of
from dienrong.plans.queries.values import CannotCount, Counting
from dienrong.registry.models import AdministrativeUnit

HEAD_LINES = ("addressees", "bases", "authority", "recipients")


def calls_for(unit: AdministrativeUnit | None) -> QuerySet[ReportCall]:
    """List the reports that a province is asked for, and those that it opened; without unit all of the nation."""
    found = ReportCall.objects.select_related("phase", "unit")
    return (
        found.filter(Q(unit__isnull=True) | Q(unit=unit))
        if unit is not None
        else found.filter(unit__isnull=True)
    )


def reports_of(user: Any) -> QuerySet[PlanReport]:
    """List the reports that a person may read: all for the ministry, those of the own province for others."""
    found = PlanReport.objects.select_related("call__phase", "unit")
    scope = access.scope_of(user)
    if scope.is_national:
        return found
    return found.filter(unit__isnull=False, unit__code__in=scope.provinces)


def report_by_key(key: int) -> PlanReport | None:
    """Give a report, whoever asks; views demand the unit."""
    return PlanReport.objects.select_related("call__phase", "unit").filter(pk=key).first()


def texts_of(report: PlanReport) -> dict[str, str]:
    """Give the newest words of each part."""
    return {part: row.text for part, row in newest_texts(report).items()}


def newest_texts(report: PlanReport) -> dict[str, ReportText]:
    """Give the newest version of the words of each part."""
    newest = report.texts.order_by().values("part").annotate(last=Max("version"))
    last = {row["part"]: row["last"] for row in newest}
    return {row.part: row for row in report.texts.select_related("saved_by") if last[row.part] == row.version}


def default_head(report_unit: AdministrativeUnit | None) -> dict[str, Any]:
    """Give the head that a unit's reports have until it writes another, in Vietnamese."""
    with translation.override("vi"):
        bases = [
            _("Pursuant to %(document)s") % {"document": document_name(one)}
            for one in [*documents_of(None), *reversed(documents_of(report_unit) if report_unit else [])]
        ]
        if report_unit is None:
            return {
                "parent_agency": "",
                "agency": _("Ministry of Education and Training"),
                "symbol": "BC-BGDĐT",
                "place": _("Ha Noi"),
                "addressees": [],
                "bases": bases,
                "authority": [_("The Minister")],
                "signer": "",
                "recipients": [
                    _("Departments of education and training of the provinces"),
                    _("File: office"),
                ],
            }
        return {
            "parent_agency": _("People's Committee") + "\n" + report_unit.full_name,
            "agency": _("Department of Education and Training"),
            "symbol": "BC-SGDĐT",
            "place": report_unit.name,
            "addressees": [
                _("Ministry of Education and Training"),
                _("People's Committee") + " " + lower_first(report_unit.full_name),
            ],
            "bases": bases,
            "authority": [_("The Director")],
            "signer": "",
            "recipients": [
                _("As above"),
                _("Quality Management Agency, Ministry of Education and Training (to report)"),
                _("File: office"),
            ],
        }


def document_name(one: PlanDocument) -> str:
    """Name a document as official documents name one another: kind, number, day, issuer; in the language in force."""
    words = {"kind": one.kind_word.capitalize() or _("document"), "number": one.number, "issuer": one.issuer}
    if one.issued_on is None:
        return _("%(kind)s No. %(number)s of %(issuer)s") % words
    return _("%(kind)s No. %(number)s of %(day)s of %(issuer)s") % {**words, "day": day_text(one.issued_on)}


def lower_first(name: str) -> str:
    """Write the first letter of a name small: Tỉnh Cà Mau stands as tỉnh Cà Mau within a line."""
    return name[:1].lower() + name[1:]


def head_of(unit: AdministrativeUnit | None) -> dict[str, Any]:
    """Give the head of a unit's reports: the written one, else the default."""
    kept = ReportHead.objects.filter(unit=unit).first()
    if kept is None:
        return default_head(unit)
    names = ("parent_agency", "agency", "symbol", "place", "signer", *HEAD_LINES)
    return {name: getattr(kept, name) for name in names}


def head_values(report: PlanReport, *, number: str = "", signed_on: str | None = None) -> dict[str, Any]:
    """Give the head of one report: the unit's, with the ground of the call among its bases, number and day."""
    head = head_of(report.unit)
    with translation.override("vi"):
        kind = _("Report")
        ground = report.call.basis.strip().rstrip(".;")
        bases = [*head["bases"]]
        if ground and not any(ground in one for one in bases):
            bases.append(_("Pursuant to %(basis)s") % {"basis": ground})
    return {**head, "bases": bases, "kind": kind, "number": number, "signed_on": signed_on}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A call with a unit's report, if it has begun one."""

    call: ReportCall
    report: PlanReport | None

    @property
    def state(self) -> str:
        """The state of the report; empty where it is not begun."""
        return self.report.state if self.report is not None else ""

    @property
    def is_late(self) -> bool:
        """Whether it is due and not sent."""
        return self.state != PlanReport.State.SENT and self.call.due_on < clock.today()


def call_rows(unit: AdministrativeUnit | None) -> list[CallRow]:
    """List calls with the unit's reports."""
    own = {one.call_id: one for one in PlanReport.objects.filter(unit=unit)}
    return [CallRow(call=call, report=own.get(call.pk)) for call in calls_for(unit)]


def next_due(unit: AdministrativeUnit | None) -> CallRow | None:
    """Give the report that is due first among those that are not sent."""
    rows = [row for row in call_rows(unit) if row.state != PlanReport.State.SENT]
    return min(rows, key=lambda row: (row.call.due_on, row.call.pk), default=None)


def reminders_of(call: ReportCall) -> dict[int, Reminder]:
    """Give the newest reminder of each province, by its key."""
    found: dict[int, Reminder] = {}
    for one in call.reminders.select_related("by").order_by("at", "pk"):
        found[one.unit_id] = one
    return found


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """A kept value beside the one that the registers give today for the same day and definition."""

    indicator: str
    old: tuple[int, int]
    new: tuple[int, int] | None
    same_people: bool

    @property
    def is_same(self) -> bool:
        """Whether counts and who stands behind them are the same."""
        return self.new == self.old and self.same_people


def recompute(snapshot: Snapshot) -> list[Recomputed]:
    """Compute every value of a snapshot again, as of its day and by its definition.

    Where one differs, something about the time before that day was entered later, or a definition of another version
    would be needed; both are told.
    """
    found = []
    for kept in snapshot.values:
        if "refused" in kept:
            continue
        phase = Phase.objects.get(code=kept["phase"])
        try:
            counting = Counting(kept["indicator"], kept["choices"], phase, snapshot.day)
            value = counting.of(snapshot.unit, with_hash=True)
        except CannotCount:
            new, same = None, False
        else:
            new, same = (value.n_counted, value.n_all), value.state_hash == kept["state_hash"]
        found.append(
            Recomputed(
                indicator=kept["indicator"], old=(kept["n_counted"], kept["n_all"]), new=new, same_people=same
            )
        )
    return found
