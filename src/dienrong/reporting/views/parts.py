"""What the pages of writing share: the report and text of an address, steps, texts of refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.core import clock
from dienrong.registry.queries import province_names
from dienrong.reporting import numeric, operations
from dienrong.reporting.headings import BY_ADDRESS, HEADINGS, Heading
from dienrong.reporting.models import ProvincialText, TextSection
from dienrong.reporting.operations.refusals import demand_writer
from dienrong.reporting.queries import writing
from dienrong.reporting.queries.reports import ReadableReport
from dienrong.reporting.views.reports import language_now, readable_or_404

State = ProvincialText.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What somebody who writes a report has before them."""

    report: ReadableReport
    province: str
    place: str
    text: ProvincialText

    @property
    def here(self) -> list[str]:
        """The parts of every address of this text."""
        return [self.report.cycle.slug, self.province]

    def url(self, name: str, *more: object) -> str:
        """Give an address of this text."""
        return reverse(f"reporting:{name}", args=[*self.here, *more])


def desk_for(request: HttpRequest, province: str) -> Desk:
    """Open the text of a province for an officer of its department; begin it where nobody has.

    To everybody else it is refused, whether it exists or not. Before the figures are published there is nothing
    to write about, and the address does not exist.
    """
    demand_writer(request.user, province)
    report = readable_or_404(request)
    if province not in numeric.provinces(report.source):
        raise Http404
    text = writing.text_of(report.cycle, province)
    if text is None:
        operations.begin_text(cycle=report.cycle, province=province, by=request.user)
        text = writing.text_of(report.cycle, province)
        if text is None:
            raise Http404
    return Desk(report=report, province=province, place=place_name(province), text=text)


def place_name(province: str) -> str:
    """Name a province as it is called today."""
    return province_names(clock.today()).get(province, province)


def heading_at(address: str) -> Heading:
    """Give the heading of an address."""
    if address not in BY_ADDRESS:
        raise Http404
    return BY_ADDRESS[address]


def steps(desk: Desk, sections: dict[str, TextSection], current: str) -> list[dict[str, Any]]:
    """Give the way through the report: five headings, what is to be done, approval."""
    found = [
        {
            "title": heading.title,
            "url": desk.url("write_section", heading.address),
            "is_current": current == heading.key,
            "is_done": bool(sections[heading.key].body.strip()),
        }
        for heading in HEADINGS
    ]
    found.append(
        {
            "title": _("What is to be done"),
            "url": desk.url("measures"),
            "is_current": current == "measures",
            "is_done": desk.text.measures.exists(),
        }
    )
    found.append(
        {
            "title": _("Approval"),
            "url": desk.url("write"),
            "is_current": current == "approval",
            "is_done": desk.text.state == State.FINAL,
        }
    )
    return found


def may_change(desk: Desk, user: Any) -> bool:
    """Tell whether a person may change the words now."""
    if desk.text.state == State.DRAFT:
        return True
    return desk.text.state == State.HANDED_OVER and desk.text.handed_to_id == user.pk


def common(desk: Desk, request: HttpRequest) -> dict[str, Any]:
    """Give what every page of writing shows."""
    slug = desk.report.cycle.slug
    first = numeric.headlines(desk.report.source, language_now())[0]
    return {
        "desk": desk,
        "cycle": desk.report.cycle,
        "text": desk.text,
        "place": desk.place,
        "may_change": may_change(desk, request.user),
        "report_url": reverse(
            "reporting:provincial", args=[slug, first.population, first.subject, desk.province]
        ),
        "write_url": desk.url("write"),
        "word_url": desk.url("province_word"),
        "pdf_url": desk.url("province_pdf"),
        "workbook_url": desk.url("province_workbook"),
    }
