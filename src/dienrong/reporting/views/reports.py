"""The reports that people read: the nation, each province, their files, and the comparison with real studies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from dienrong.accounts import permissions
from dienrong.cycles.shell import cycle_of_request
from dienrong.reporting import numeric, official, queries
from dienrong.reporting.queries import press, writing
from dienrong.reporting.views.blocks import blocks, summary

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the reports that the reader may open, each with its main results."""
    language = language_now()
    entries = []
    for report in queries.readable_reports(request.user):
        slug = report.cycle.slug
        entries.append(
            {
                "cycle": report.cycle,
                "run": report.run,
                "publication": report.publication,
                "newer_run": queries.newer_run(report),
                "headlines": headline_rows(report, language),
                "pdf_url": reverse("reporting:pdf", args=[slug]),
                "word_url": reverse("reporting:word", args=[slug]),
                "workbook_url": reverse("reporting:workbook", args=[slug]),
                "press_url": reverse("reporting:press", args=[slug])
                if press.may_read(request.user, report, press.press_note_of(report.cycle))
                else "",
                "own": _own_reports(request, report),
                "approved_url": reverse("reporting:approved", args=[slug])
                if permissions.may(request.user, "read_every_province")
                else "",
            }
        )
    context = {
        "entries": entries,
        "may_publish": permissions.may_publish_report(request.user),
        "has_comparison": queries.comparison_rows().exists(),
    }
    return render(request, "reporting/index.html", context)


def _own_reports(request: HttpRequest, report: queries.ReadableReport) -> list[dict[str, Any]]:
    """Give the provinces whose report the reader writes, with the state of the text."""
    found = []
    for code in sorted(writing.provinces_written_by(request.user) & set(numeric.provinces(report.source))):
        text = writing.text_of(report.cycle, code)
        found.append(
            {
                "place": dict(report.wording(language_now()).names).get(code, code),
                "url": reverse("reporting:write", args=[report.cycle.slug, code]),
                "text": text,
            }
        )
    return found


@require_GET
def national(request: HttpRequest, slug: str, population: str, subject: str) -> HttpResponse:
    """Show the national results of one grade and subject; a chosen province leads to its own page."""
    chosen = request.GET.get("province", "")
    if chosen:
        return redirect("reporting:provincial", slug, population, subject, chosen)
    return _report_page(request, population, subject, "")


@require_GET
def provincial(request: HttpRequest, slug: str, population: str, subject: str, province: str) -> HttpResponse:
    """Show the results of one province in one grade and subject, under the five headings."""
    return _report_page(request, population, subject, province)


def _report_page(request: HttpRequest, population: str, subject: str, province: str) -> HttpResponse:
    """Draw the report of the nation or a province for one grade and subject."""
    report = readable_or_404(request)
    wording = report.wording(language_now())
    reading = writing.reading_for(request.user, report.cycle, province) if province else None
    is_of_run = reading is not None and (reading.frozen is None or reading.frozen.run_id == report.run.pk)
    words = reading.words if reading is not None and is_of_run else None
    found = composed(report, wording, (population, subject, province), words)
    names = dict(wording.names)
    slug = report.cycle.slug
    here = [slug, population, subject, *([province] if province else [])]
    prefix = "province_" if province else ""
    subject_title = numeric.subject_name(population, subject, wording.language)
    place = names.get(province, province) if province else _("the whole country")
    paragraphs = found.sections[0].paragraphs
    files = [slug, province] if province else [slug]
    show_all = "tat-ca" in request.GET
    first = found.sections[0]
    sections = blocks(
        [
            replace(section, paragraphs=section.paragraphs[1:])
            if section is first and not province
            else section
            for section in found.sections
        ],
        show_all=show_all,
    )
    context = {
        "cycle": report.cycle,
        "run": report.run,
        "publication": report.publication,
        "newer_run": queries.newer_run(report),
        "may_publish": permissions.may_publish_report(request.user),
        "source_line": found.source_line,
        "sections": sections,
        "contents": [(section, summary(section)) for section in sections],
        "show_all": show_all,
        "heading": _("%(subject)s, grade %(grade)s: %(place)s")
        % {"subject": subject_title, "grade": population.removeprefix("grade"), "place": place},
        "finding": paragraphs[0] if paragraphs else "",
        "tabs": _tabs(report, wording.language, population, subject, province),
        "tabs_label": _("Grade and subject"),
        "provinces": [(code, names.get(code, code)) for code in numeric.provinces(report.source)],
        "province": province,
        "national_url": reverse("reporting:national", args=[slug, population, subject]),
        "province_chooser_url": reverse("reporting:national", args=[slug, population, subject]),
        "trace_url": reverse("reporting:trace", args=[slug]),
        "reading": reading,
        "words_are_older": reading is not None and not is_of_run,
        "write_url": (
            reverse("reporting:write", args=[slug, province])
            if province and writing.may_write(request.user, province)
            else ""
        ),
        "svg_url": reverse(f"reporting:{prefix}svg", args=here),
        "drawing_url": reverse(f"reporting:{prefix}drawing", args=here),
        "table_url": reverse(f"reporting:{prefix}table", args=here),
        "excel_url": reverse(f"reporting:{prefix}xlsx", args=here),
        "pdf_url": reverse(f"reporting:{prefix}pdf", args=files),
        "word_url": reverse(f"reporting:{prefix}word", args=files),
        "workbook_url": reverse(f"reporting:{prefix}workbook", args=files),
    }
    return render(request, "reporting/national.html", context)


def _tabs(
    report: queries.ReadableReport, language: str, population: str, subject: str, province: str
) -> list[dict[str, Any]]:
    """Offer the other grades and subjects of the same place."""
    tabs = []
    for row in numeric.headlines(report.source, language):
        here = [report.cycle.slug, row.population, row.subject, *([province] if province else [])]
        name = "reporting:provincial" if province else "reporting:national"
        is_current = (row.population, row.subject) == (population, subject)
        tabs.append({"title": row.label, "url": reverse(name, args=here), "is_current": is_current})
    return tabs


@require_GET
def pdf(request: HttpRequest, slug: str, province: str = "") -> HttpResponse:
    """Give the whole report of the nation or a province as PDF."""
    report, words = _whole(request, province)
    content = numeric.printed(report.source, report.wording(language_now()), province, words)
    return file_answer(content, "application/pdf", f"{_file_name(slug, province)}.pdf")


@require_GET
def word(request: HttpRequest, slug: str, province: str = "") -> HttpResponse:
    """Give the whole report of the nation or a province as a Word file in the official form."""
    report, words = _whole(request, province)
    form = official.provincial(report.cycle, province) if province else official.national(report.cycle)
    content = numeric.word(report.source, report.wording(language_now()), form, province, words)
    return file_answer(content, DOCX, f"{_file_name(slug, province)}.docx")


@require_GET
def workbook(request: HttpRequest, slug: str, province: str = "") -> HttpResponse:
    """Give all tables of the nation or a province as an Excel workbook."""
    report, words = _whole(request, province)
    wording = report.wording(language_now())
    found = numeric.report(report.source, wording, province=province, words=words)
    return file_answer(numeric.workbook(found), XLSX, f"{_file_name(slug, province)}.xlsx")


def _whole(request: HttpRequest, province: str) -> tuple[queries.ReadableReport, numeric.Words | None]:
    """Give what a file holds: the report, and the words that the reader may see.

    Approved words stand with the figures of the run by which they were approved, whatever was run since.
    """
    report = readable_or_404(request)
    reading = writing.reading_for(request.user, report.cycle, province) if province else None
    if reading is not None and reading.frozen is not None:
        report = replace(report, run=reading.frozen.run)
    _known_province(report, province)
    return report, reading.words if reading is not None else None


def _file_name(slug: str, province: str) -> str:
    """Name a file by cycle and province."""
    return f"{slug}-{province}" if province else slug


def file_answer(content: bytes, kind: str, name: str) -> HttpResponse:
    """Give bytes as a file to keep."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def language_now() -> str:
    """Give the reader's language as lsakit names it."""
    return "en" if (get_language() or "vi").startswith("en") else "vi"


def readable_or_404(request: HttpRequest) -> queries.ReadableReport:
    """Give the report of the cycle in the address; to those who may not read it, it does not exist."""
    cycle = cycle_of_request(request)
    report = queries.readable_report(request.user, cycle) if cycle else None
    if report is None:
        raise Http404
    return report


def composed(
    report: queries.ReadableReport,
    wording: numeric.Wording,
    place: tuple[str, str, str],
    words: numeric.Words | None = None,
) -> Any:
    """Compose a report, or answer that there is none for this grade, subject or province."""
    population, subject, province = place
    pairs = {(row.population, row.subject) for row in numeric.headlines(report.source, wording.language)}
    if (population, subject) not in pairs:
        raise Http404
    _known_province(report, province)
    return numeric.report(report.source, wording, population, subject, province, words)


def _known_province(report: queries.ReadableReport, province: str) -> None:
    """Answer that a province of which the report does not speak does not exist."""
    if province and province not in numeric.provinces(report.source):
        raise Http404


def headline_rows(report: queries.ReadableReport, language: str) -> list[dict[str, Any]]:
    """Give the main results with the addresses of their pages."""
    return [
        {
            **{name: getattr(row, name) for name in row.__slots__},
            "url": reverse("reporting:national", args=[report.cycle.slug, row.population, row.subject]),
        }
        for row in numeric.headlines(report.source, language)
    ]
