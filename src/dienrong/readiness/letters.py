"""The proposal (tờ trình) of an estimate: Vietnamese in every language of the pages, as a document of the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from dienrong.core.formats import number_text
from dienrong.readiness import numeric
from dienrong.readiness.models import Budget, BudgetLine, Section, Source, Stream
from dienrong.readiness.money_words import dong_in_words
from dienrong.readiness.queries.money import sums_by, total_of
from dienrong.readiness.queries.standing import state_of

LANGUAGE = "vi"
MOST_LINES = 400
"""A longer list of schools stands in the workbook alone."""


def proposal(budget: Budget, lines: Sequence[BudgetLine]) -> bytes:
    """Write the proposal as a Word file in the form of Decree 30/2020/NĐ-CP."""
    with translation.override(LANGUAGE):
        return numeric.word_file(
            _blocks(budget, lines), form=_form(budget), title=_title(budget), subtitle=""
        )


def _title(budget: Budget) -> str:
    """Say what the proposal is about."""
    words = {
        Stream.FINANCE: _("On the budget estimate of the year %(year)s for large-scale assessment"),
        Stream.TRAINING: _(
            "On the budget estimate of the year %(year)s for training in large-scale assessment"
        ),
    }
    return words[Stream(budget.stream)] % {"year": budget.year}


def _form(budget: Budget) -> dict[str, Any]:
    """Give what stands around the text; number, day and signer stay open for the office."""
    receivers = {Stream.FINANCE: _("Department of Finance"), Stream.TRAINING: _("Department of Home Affairs")}
    bases = [
        _("Decision “468/QĐ-BGDĐT” of 13 February 2023 of the Minister of Education and Training"),
        _("the plan of the People's Committee of %(province)s to carry out Project 468")
        % {"province": budget.province.full_name},
        _("Law on the State Budget and guiding documents"),
    ]
    return {
        "agency": _("Department of Education and Training"),
        "parent_agency": _("People's Committee of %(province)s") % {"province": budget.province.full_name},
        "symbol": "TTr-SGDĐT",
        "place": budget.province.name,
        "kind": _("Proposal"),
        "bases": tuple(_("Pursuant to %(what)s") % {"what": one} for one in bases),
        "authority": (_("Director"),),
        "recipients": (
            _("As above"),
            receivers[Stream(budget.stream)],
            _("File: office, quality management"),
        ),
    }


def _blocks(budget: Budget, lines: Sequence[BudgetLine]) -> list[dict[str, Any]]:
    """Write the parts of the proposal."""
    total = total_of(lines)
    receiver = {Stream.FINANCE: _("Department of Finance"), Stream.TRAINING: _("Department of Home Affairs")}[
        Stream(budget.stream)
    ]
    blocks: list[dict[str, Any]] = [
        {"kind": "paragraph", "text": _("To: %(who)s") % {"who": receiver}},
        {"kind": "heading", "text": _("1. Why it is needed")},
        *[{"kind": "paragraph", "text": one} for one in _reasons(budget)],
        {"kind": "heading", "text": _("2. What is estimated")},
        {
            "kind": "paragraph",
            "text": _("The estimate comes to %(total)s dong (in words: %(words)s).")
            % {"total": number_text(total), "words": dong_in_words(total)},
        },
        _sums(_("By part"), sums_by(lines, "section", dict(Section.choices)), total),
        _sums(_("By source"), sums_by(lines, "source", dict(Source.choices)), total),
        {"kind": "heading", "text": _("3. Lines of the estimate")},
        _lines(lines),
        {"kind": "heading", "text": _("4. What is asked")},
        {
            "kind": "paragraph",
            "text": _(
                "The Department of Education and Training asks that the estimate be looked over, joined with others and laid before the authority."
            ),
        },
    ]
    if budget.change_note:
        blocks.insert(
            4,
            {
                "kind": "paragraph",
                "text": _("Version %(n)s: %(note)s") % {"n": budget.version, "note": budget.change_note},
            },
        )
    return blocks


def _reasons(budget: Budget) -> list[str]:
    """Write the reasons from the survey, with their numbers."""
    state = state_of(budget.cycle, budget.province, budget.updated_at.date())
    sentences = [
        _(
            "For “%(cycle)s”, %(n)s schools of the province were asked about facilities and machines; %(done)s handed the survey in."
        )
        % {
            "cycle": budget.cycle.name,
            "n": number_text(state.n_asked),
            "done": number_text(state.n_submitted),
        }
    ]
    if budget.stream == Stream.FINANCE:
        sentences.append(
            _(
                "By the norm of the cycle %(computer)s schools can be tested on computers, %(mixed)s mixed, %(paper)s on paper; %(machines)s computers are missing."
            )
            % {
                "computer": number_text(state.n_by_mode["computer"]),
                "mixed": number_text(state.n_by_mode["mixed"]),
                "paper": number_text(state.n_by_mode["paper"]),
                "machines": number_text(state.gap["lack_machines"]),
            }
        )
    else:
        sentences.append(
            _(
                "The number of learners is that of staff who are needed by the norm of the cycle and hold no certificate yet."
            )
        )
    return sentences


def _sums(title: str, rows: list[dict[str, Any]], total: int) -> dict[str, Any]:
    """Write a table of sums."""
    cells = [(one["word"], number_text(one["amount"])) for one in rows]
    return {
        "kind": "table",
        "text": title,
        "columns": (_("Content"), _("Amount, dong")),
        "rows": (*cells, (_("Total"), number_text(total))),
        "widths": (0.65, 0.35),
    }


def _lines(lines: Sequence[BudgetLine]) -> dict[str, Any]:
    """Write the lines; equal items of schools are joined where there are too many for paper."""
    if len(lines) <= MOST_LINES:
        rows = [
            (
                str(place), f"{one.name} – {one.school.name}" if one.school else one.name, one.unit,
                _plain(one.quantity), _plain(one.norm), number_text(one.unit_price), number_text(one.amount),
            )
            for place, one in enumerate(lines, start=1)
        ]  # fmt: skip
        note = ""
    else:
        sums: dict[tuple[str, str, int], list[Any]] = {}
        for one in lines:
            kept = sums.setdefault((one.name, one.unit, one.unit_price), [0, 0])
            kept[0] += one.quantity * one.norm
            kept[1] += one.amount
        rows = [
            (str(place), name, unit, _plain(n), "1", number_text(price), number_text(amount))
            for place, ((name, unit, price), (n, amount)) in enumerate(sums.items(), start=1)
        ]
        note = _("By school: see the workbook of the estimate.")
    return {
        "kind": "table",
        "text": "",
        "columns": (
            _("No."),
            _("Content of spending"),
            _("Unit"),
            _("Quantity"),
            _("Norm"),
            _("Unit price"),
            _("Amount, dong"),
        ),
        "rows": tuple(rows),
        "widths": (0.06, 0.36, 0.1, 0.1, 0.08, 0.13, 0.17),
        "note": note,
    }


def _plain(value: Any) -> str:
    """Write a count without needless decimals."""
    return number_text(value, 0 if value == int(value) else 1)
