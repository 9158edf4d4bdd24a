"""The public portal, phone first: main results in plain words, reports, files, methods and questions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from dienrong.explorer import numeric, pages, ports, queries
from dienrong.reporting import numeric as report_numbers
from dienrong.reporting import queries as reports


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show everything that is published; the ministry sees the same as everyone."""
    language = pages.language_now()
    entries = [_entry(report, language) for report in reports.readable_reports(AnonymousUser())]
    context = {"entries": entries, "downloads": ports.downloads()}
    return render(request, "explorer/portal.html", context)


def _entry(report: reports.ReadableReport, language: str) -> dict[str, Any]:
    """Give what is told of one published cycle."""
    cycle, slug = report.cycle, report.cycle.slug
    found = queries.askable(AnonymousUser(), cycle)
    return {
        "cycle": cycle,
        "publication": report.publication,
        "run": report.run,
        "headlines": [
            {
                "label": row.label,
                "mean": row.mean,
                "mean_low": row.mean_low,
                "mean_high": row.mean_high,
                "of_hundred": row.share * 100,
                "low": row.share_low * 100,
                "high": row.share_high * 100,
                "n": row.n,
                "n_schools": row.n_schools,
                "url": reverse("reporting:national", args=[slug, row.population, row.subject]),
            }
            for row in report_numbers.headlines(report.source, language)
        ],
        "shares": numeric.minimum_shares(report_numbers.estimates(report.source), language),
        "documents": [
            ("PDF", reverse("reporting:pdf", args=[slug])),
            ("Word", reverse("reporting:word", args=[slug])),
            ("Excel", reverse("reporting:workbook", args=[slug])),
        ],
        "more_documents": ports.documents(cycle),
        "explore_url": reverse("explorer:page", args=[slug]) if found and found.source else "",
        "rules_url": reverse("explorer:rules", args=[slug]),
    }


@require_GET
def questions(request: HttpRequest) -> HttpResponse:
    """Explain the methods in plain words and answer what people ask."""
    found = queries.first_askable(AnonymousUser())
    name = found.cycle.suppression_rules if found else "national"
    return render(request, "explorer/questions.html", {"rule": numeric.rule_of(name, pages.language_now())})
