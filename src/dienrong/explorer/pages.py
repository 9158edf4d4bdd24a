"""What the pages of the explorer need: the run, the form, the answer and what stands around it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dienrong.core.formats import day_text, moment_text
from dienrong.cycles.models import Cycle
from dienrong.cycles.shell import cycle_of_request
from dienrong.explorer import addresses, numeric, queries
from dienrong.explorer.models import KeptAnswer
from dienrong.explorer.numeric import Asked, Outcome, Shown, Source, SourceDamagedError
from dienrong.explorer.refusals import SourceDamaged

LONGEST_TITLE = 80


def language_now() -> str:
    """Give the reader's language as lsakit names it."""
    return "en" if (get_language() or "vi").startswith("en") else "vi"


@contextlib.contextmanager
def from_whole_files() -> Iterator[None]:
    """Say in words that the frozen files of a run are not whole."""
    try:
        yield
    except SourceDamagedError as error:
        raise SourceDamaged(
            _("The frozen data of this run are not whole, so no question can be answered."),
            hint=_("Please tell the ministry; the reports that are published stay as they are."),
        ) from error


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A request to the explorer, read."""

    askable: queries.Askable
    source: Source
    asked: Asked
    lists: Any
    names: dict[str, str]
    wants_newest: bool

    @property
    def query(self) -> str:
        """The question as the query of an address."""
        return addresses.address_of(self.asked, wants_newest=self.wants_newest)

    def address(self, name: str) -> str:
        """Give the address of a page or file about the question."""
        return f"{reverse(f'explorer:{name}', args=[self.askable.cycle.slug])}?{self.query}"

    def answer(self) -> Outcome:
        """Ask."""
        with from_whole_files():
            return numeric.ask(
                self.source,
                self.asked,
                with_restricted=self.askable.with_restricted,
                language=language_now(),
            )


def askable_or_404(request: HttpRequest, values: Any) -> tuple[queries.Askable, Source]:
    """Give the run that the reader may ask; to those who may not, it does not exist."""
    cycle = cycle_of_request(request)
    found = (
        queries.askable(request.user, cycle, wants_newest=addresses.wants_newest(values)) if cycle else None
    )
    source = found.source if found else None
    if found is None or source is None:
        raise Http404
    return found, source


def inquiry(request: HttpRequest, values: Any) -> Inquiry:
    """Read a request: which run, which question."""
    found, source = askable_or_404(request, values)
    names = queries.names_of_places()
    with from_whole_files():
        asked, lists = numeric.offer(
            source,
            _with_default(addresses.asked_in(values), is_empty=not values.get("do")),
            with_restricted=found.with_restricted,
            is_lenient=addresses.is_change(request),
            language=language_now(),
            names=names,
        )
    return Inquiry(
        askable=found,
        source=source,
        asked=asked,
        lists=lists,
        names=names,
        wants_newest=addresses.wants_newest(values) and found.with_restricted,
    )


def _with_default(asked: Asked, *, is_empty: bool) -> Asked:
    """Give whoever opens the page without a question one to begin with."""
    if not is_empty or asked.by:
        return asked
    return dataclasses.replace(asked, by=("gender",), compare="pairs")


def about(shown: Shown, cycle: Cycle, run_number: int, link: str) -> list[tuple[str, str]]:
    """Say where an answer comes from, as pairs that stand in every file and on the page."""
    facts = shown.answer.facts
    rule = numeric.rule_of(
        facts["rules"], shown.language, units=facts["minimum_units"], schools=facts["minimum_schools"]
    )
    return [
        (_("Cycle"), cycle.name),
        (_("Run"), str(run_number)),
        (_("Artefacts (hash)"), facts["run"]),
        (_("Answer (hash)"), shown.answer.digest),
        (_("Rule of publication"), rule.title),
        (
            _("Errors"),
            _("%(replicates)s replicate weights, %(values)s plausible values")
            % {"replicates": facts["n_replicates"], "values": facts["n_plausible_values"]},
        ),
        (_("Link"), link),
    ]


def answer_context(shown: Shown) -> dict[str, Any]:
    """Give what the part of the page about an answer shows."""
    facts, question = shown.answer.facts, shown.answer.question
    lines = shown.lines()
    return {
        "shown": shown,
        "question": question,
        "title": shown.title,
        "headings": shown.headings(),
        "lines": lines,
        "n_hidden": facts["n_hidden"],
        "comparisons": shown.comparisons(),
        "n_compared": facts["n_compared"],
        "within_column": len(question.by) > 1,
        "statistic_column": len({row["statistic"] for row in shown.answer.comparisons}) > 1
        or question.statistic == "percent",
        "rule": numeric.rule_of(
            facts["rules"], shown.language, units=facts["minimum_units"], schools=facts["minimum_schools"]
        ),
        "flags": sorted({mark for line in lines for mark in line["flags"]}),
    }


def kept_notice(kept: KeptAnswer) -> str:
    """Say how a kept answer stands to what is published now."""
    now = queries.publication_of(kept)
    if now is None:
        return _("The report of this cycle is not published now; only the ministry reads this page.")
    if now.run_id != kept.run_id:
        return _(
            "These numbers are of run %(old)s, as they were kept on %(day)s. A newer run %(new)s was published on "
            "%(published)s."
        ) % {
            "old": kept.run.number,
            "day": day_text(kept.kept_at),
            "new": now.run.number,
            "published": day_text(now.published_at),
        }
    return _("Kept at %(moment)s. The numbers on this page never change.") % {
        "moment": moment_text(kept.kept_at)
    }
