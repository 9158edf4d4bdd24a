"""Kept answers: the same numbers years later, or a sentence that they were changed."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from dienrong.core import requests
from dienrong.core.refusals import Refusal
from dienrong.explorer import addresses, limits, numeric, pages, queries
from dienrong.explorer.models import KeptAnswer
from dienrong.explorer.views.explore import ROWS_PER_PAGE, XLSX, as_file, chart


class Changed(Refusal):
    """The kept text is not the one that was kept."""

    code = "explorer.kept_answer_changed"


def _kept(request: HttpRequest, key: str) -> tuple[KeptAnswer, numeric.Shown]:
    """Give a kept answer that the reader may read; to others it does not exist."""
    kept = queries.kept_answer(key)
    if kept is None or not queries.may_read_kept(request.user, kept):
        raise Http404
    found = numeric.taken_up(kept.text, kept.digest)
    if found is None:
        raise Changed(
            _("The kept numbers do not agree with their hash, so they are not shown."),
            hint=_("Please tell the ministry the address of this page."),
        )
    return kept, numeric.shown(found, pages.language_now(), queries.names_of_places())


def _about(request: HttpRequest, kept: KeptAnswer, shown: numeric.Shown) -> list[tuple[str, str]]:
    """Say where a kept answer comes from."""
    link = request.build_absolute_uri(reverse("explorer:kept", args=[kept.key]))
    return pages.about(shown, kept.cycle, kept.run.number, link)


@require_GET
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Show a kept answer."""
    kept, shown = _kept(request, key)
    question = shown.answer.question
    asked = numeric.Asked(**{name: getattr(question, name) for name in numeric.Asked.__slots__})
    context: dict[str, Any] = {
        "cycle": kept.cycle,
        "kept": kept,
        "notice": pages.kept_notice(kept),
        "rules_url": reverse("explorer:rules", args=[kept.cycle.slug]),
        "ask_again": f"{reverse('explorer:page', args=[kept.cycle.slug])}?{addresses.address_of(asked)}",
        **pages.answer_context(shown),
        "svg_url": reverse("explorer:kept_svg", args=[kept.key]),
        "xlsx_url": reverse("explorer:kept_xlsx", args=[kept.key]),
        "csv_url": reverse("explorer:kept_csv", args=[kept.key]),
        "about": _about(request, kept, shown),
    }
    context["page"] = Paginator(context["lines"], ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "explorer/kept.html", context)


@require_GET
def svg(request: HttpRequest, key: str) -> HttpResponse:
    """Give the chart of a kept answer."""
    return chart(_kept(request, key)[1])


@require_GET
def xlsx(request: HttpRequest, key: str) -> HttpResponse:
    """Give a kept answer as an Excel workbook."""
    limits.count("file", limits.FILES, requests.address_of(request))
    kept, shown = _kept(request, key)
    return as_file(shown.xlsx(_about(request, kept, shown)), XLSX, f"{key}.xlsx")


@require_GET
def csv(request: HttpRequest, key: str) -> HttpResponse:
    """Give a kept answer as CSV."""
    limits.count("file", limits.FILES, requests.address_of(request))
    kept, shown = _kept(request, key)
    return as_file(shown.csv(_about(request, kept, shown)), "text/csv; charset=utf-8", f"{key}.csv")
