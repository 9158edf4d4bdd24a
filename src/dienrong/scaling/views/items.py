"""The review board of the items and the card of one item, with its decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Refusal
from dienrong.core.text import search_key
from dienrong.scaling import drawn, item_card, operations, pages, queries, words
from dienrong.scaling.addresses import address
from dienrong.scaling.forms import DecisionForm
from dienrong.scaling.models import ItemDecision, ScalingRun, ScalingStudy
from dienrong.scaling.numeric import board
from dienrong.scaling.numeric.board import BoardRow
from dienrong.scaling.numeric.tables import board_table
from dienrong.scaling.numeric.workbooks import workbook
from dienrong.scaling.views import parts

ROWS_PER_PAGE = 50
STATES = ("all", "to_review", "decided", "drop", "collapse", "free", "keep")
SORTED = ("item", "n", "facility", "discrimination", "slope", "difficulty", "infit", "rmsd", "dif_class")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address of the board asks for; it goes along to the card, so that one walks from item to item."""

    state: str = "all"
    flag: str = ""
    text: str = ""
    order: str = ""
    run: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """Read the filters of an address."""
        given = request.GET
        state, order = given.get("state", "all"), given.get("sort", "")
        return cls(
            state=state if state in STATES else "all",
            flag=given.get("flag", "") if given.get("flag", "") in words.FLAG_GROUPS else "",
            text=given.get("q", "").strip()[:80],
            order=order if order.removeprefix("-") in SORTED else "",
            run=given.get("run", "") if given.get("run", "").isdigit() else "",
        )

    def query(self, **changes: str) -> str:
        """Write the filters as a query, with changes."""
        values = {
            "state": "" if self.state == "all" else self.state, "flag": self.flag, "q": self.text,
            "sort": self.order, "run": self.run, **changes,
        }  # fmt: skip
        return urlencode({name: value for name, value in values.items() if value})


def run_at_hand(study: ScalingStudy, filters: Filters) -> ScalingRun | None:
    """Give the run whose items are looked at: the one of the address, else the last that is done."""
    if filters.run:
        return parts.done_run_of(study, int(filters.run))
    return queries.last_done(study)


def narrowed(
    rows: Iterable[BoardRow], filters: Filters, decided: dict[str, list[ItemDecision]]
) -> list[BoardRow]:
    """Give the rows that the filters leave, in the order asked for; numbers that are missing come last."""
    found = [row for row in matching(rows, filters) if is_in_state(row, filters.state, decided)]
    if filters.order:
        name = filters.order.removeprefix("-")
        present = [row for row in found if getattr(row, name) not in (None, "")]
        absent = [row for row in found if getattr(row, name) in (None, "")]
        present.sort(key=lambda row: getattr(row, name), reverse=filters.order.startswith("-"))
        found = present + absent
    return found


def matching(rows: Iterable[BoardRow], filters: Filters) -> list[BoardRow]:
    """Give the rows that carry the flag and hold the text asked for."""
    group = words.FLAG_GROUPS.get(filters.flag)
    wanted = search_key(filters.text)
    return [
        row
        for row in rows
        if (group is None or any(flag in group[1] for flag in row.flags))
        and (not wanted or wanted in _search_text(row.item, row.label, row.domain, row.cluster))
    ]


@lru_cache(maxsize=20_000)
def _search_text(*texts: str) -> str:
    """Give the form under which the texts of an item are searched; blanks part them."""
    return " ".join(search_key(text) for text in texts)


def is_in_state(row: BoardRow, state: str, decided: dict[str, list[ItemDecision]]) -> bool:
    """Tell whether an item is in a state of the board."""
    own = decided.get(row.item, [])
    if state == "all":
        return True
    if state == "to_review":
        return bool(row.flags) and not own
    return bool(own) and (state == "decided" or any(one.kind == state for one in own))


def decided_items(study: ScalingStudy) -> dict[str, list[ItemDecision]]:
    """Give the decisions that hold, by item."""
    out: dict[str, list[ItemDecision]] = {}
    for one in queries.holding(study):
        out.setdefault(one.item, []).append(one)
    return out


@require_GET
@requires("view_analysis")
def items(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Show the review board: items with their figures, flags and decisions."""
    found = parts.study_of(request, study)
    filters = Filters.of(request)
    run = run_at_hand(found, filters)
    context: dict[str, Any] = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "run": run,
    }
    if run is None:
        context["next"] = pages.next_step(found, may_run=permissions.may_run_analysis(request.user))
        return render(request, "scaling/items.html", context)
    rows, decided = pages.board_rows(run), decided_items(found)
    page = Paginator(narrowed(rows, filters, decided), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = [_row(row, decided, found, filters) for row in page.object_list]
    context |= {
        "page": page,
        "filters": filters,
        "states": _state_chips(rows, decided, filters),
        "flags": _flag_chips(rows, filters),
        "sorts": _sorts(filters),
        "n_items": len(rows),
        "runs": list(queries.runs_of(found).filter(state=ScalingRun.State.DONE)[:20]),
        "is_changed": pages.is_changed(found, run),
        "excel_query": filters.query(),
    }
    return render(request, "scaling/items.html", context)


def _row(
    row: BoardRow, decided: dict[str, list[ItemDecision]], study: ScalingStudy, filters: Filters
) -> dict[str, Any]:
    """Give a row of the board in words."""
    query = filters.query()
    return {
        "row": row,
        "url": address("item", study, row.item) + (f"?{query}" if query else ""),
        "flags": [words.flag_title(flag) for flag in row.flags],
        "decisions": [
            {"kind": one.get_kind_display(), "details": words.decision_words(one.kind, one.details)}
            for one in decided.get(row.item, [])
        ],
        "state": state_of(row, decided.get(row.item, [])),
    }


def state_of(row: BoardRow, own: list[ItemDecision]) -> dict[str, str]:
    """Say how an item stands: decided, waiting, nothing to do."""
    if own:
        return {"shape": "done", "word": _("decided")}
    if row.flags:
        return {"shape": "attention", "word": _("to review")}
    return {"shape": "not_started", "word": _("no flag")}


def _state_chips(
    rows: tuple[BoardRow, ...], decided: dict[str, list[ItemDecision]], filters: Filters
) -> list[dict[str, Any]]:
    """Make the chips of states with their counts."""
    titles = {
        "all": _("All"),
        "to_review": _("To review"),
        "decided": _("Decided"),
        **{str(kind): str(title) for kind, title in ItemDecision.Kind.choices},
    }
    found = matching(rows, filters)
    counts = {name: sum(is_in_state(row, name, decided) for row in found) for name in STATES}
    return [
        {
            "title": titles[name],
            "url": "?" + filters.query(state="" if name == "all" else name),
            "is_current": filters.state == name,
            "count": counts[name],
        }
        for name in STATES
        if counts[name] or name in ("all", "to_review", filters.state)
    ]


def _flag_chips(rows: tuple[BoardRow, ...], filters: Filters) -> list[dict[str, Any]]:
    """Make the chips of kinds of flags."""
    chips = [
        {
            "title": _("Any flag or none"),
            "url": "?" + filters.query(flag=""),
            "is_current": not filters.flag,
            "count": "",
        }
    ]
    for name, (title, flags) in words.FLAG_GROUPS.items():
        n = sum(any(flag in flags for flag in row.flags) for row in rows)
        if n or filters.flag == name:
            chips.append(
                {
                    "title": str(title),
                    "url": "?" + filters.query(flag=name),
                    "is_current": filters.flag == name,
                    "count": n,
                }
            )
    return chips


def _sorts(filters: Filters) -> dict[str, dict[str, str]]:
    """Give the address and the direction of each heading that sorts."""
    out = {}
    for name in SORTED:
        is_up, is_down = filters.order == name, filters.order == f"-{name}"
        out[name] = {
            "url": "?" + filters.query(sort=f"-{name}" if is_up else name),
            "aria": "ascending" if is_up else "descending" if is_down else "none",
            "mark": "↑" if is_up else "↓" if is_down else "",
        }
    return out


@require_GET
@requires("view_analysis")
def items_file(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Give the board, as the filters leave it, as an Excel workbook."""
    found = parts.study_of(request, study)
    filters = Filters.of(request)
    run = run_at_hand(found, filters)
    if run is None:
        raise Http404
    decided = decided_items(found)
    rows = narrowed(pages.board_rows(run), filters, decided)
    table = board_table(
        rows,
        flags={flag: words.flag_title(flag) for flag in words.FLAGS},
        decisions={
            item: "; ".join(
                f"{one.get_kind_display()} {words.decision_words(one.kind, one.details)}".strip()
                + f" ({one.reason})"
                for one in own
            )
            for item, own in decided.items()
        },
    )
    titles = [words.column_title(name) if name != "decision" else _("Decision") for name in table.columns]
    notes = [
        found.title,
        _("Scaling run %(number)d") % {"number": run.number},
        run.software_version,
        run.options_hash,
    ]
    return parts.file(
        workbook(table, title=_("Items"), titles=titles, notes=notes), f"cau-hoi-{found.number}.xlsx"
    )


@require_GET
@requires("view_analysis")
def item(request: HttpRequest, slug: str, study: int, item: str) -> HttpResponse:
    """Show the card of an item."""
    return _card(request, parts.study_of(request, study), item)


def _card(
    request: HttpRequest,
    study: ScalingStudy,
    item: str,
    form: DecisionForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Draw the card of an item: figures, tables, flags, decisions."""
    filters = Filters.of(request)
    run = run_at_hand(study, filters)
    rows = pages.board_rows(run) if run else ()
    row = next((one for one in rows if one.item == item), None)
    if run is None or row is None:
        raise Http404
    decided = decided_items(study)
    around = item_card.neighbors([one.item for one in narrowed(rows, filters, decided)], item)
    groups = board.groups_of(queries.store_path(study), queries.manifests_of(run))
    query = filters.query()
    context = {
        "cycle": study.cycle,
        "study": study,
        "tabs": parts.tabs(request, study),
        "run": run,
        "row": row,
        "state": state_of(row, decided.get(item, [])),
        "flags": [
            {"title": words.flag_title(flag), "advice": words.FLAG_ADVICE.get(flag, "")} for flag in row.flags
        ],
        "facts": item_card.facts(run, row),
        "figures": drawn.item_figures(run, item),
        "tables": item_card.tables(run, item),
        "holding": pages.decision_rows(decided.get(item, [])),
        "history": pages.decision_rows(queries.decisions_of(study, item)),
        "form": form or DecisionForm(max_score=row.max_score, groups=groups if len(groups) > 1 else []),
        "may_run": permissions.may_run_analysis(request.user),
        "is_changed": pages.is_changed(study, run),
        "back_url": address("items", study) + (f"?{query}" if query else ""),
        "previous_url": _item_url(study, around[0], query),
        "next_url": _item_url(study, around[1], query),
        "query": query,
    }
    return render(request, "scaling/item.html", context, status=status)


def _item_url(study: ScalingStudy, item: str, query: str) -> str:
    """Give the address of a neighbor; empty where there is none."""
    return address("item", study, item) + (f"?{query}" if query else "") if item else ""


@require_POST
@requires("run_analysis")
def decide(request: HttpRequest, slug: str, study: int) -> HttpResponse:
    """Take a decision of an item."""
    found = parts.study_of(request, study)
    filters = Filters.of(request)
    run = run_at_hand(found, filters)
    item = request.POST.get("item", "")
    row = next((one for one in (pages.board_rows(run) if run else ()) if one.item == item), None)
    if run is None or row is None:
        raise Http404
    groups = board.groups_of(queries.store_path(found), queries.manifests_of(run))
    groups = groups if len(groups) > 1 else []
    form = DecisionForm(request.POST, max_score=row.max_score, groups=groups)
    if form.is_valid():
        known = operations.KnownItem(item=item, max_score=row.max_score, groups=groups)
        try:
            operations.take_decision(
                study=found, new=form.decision(item), known=known, run=run, by=request.user
            )
        except Refusal as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        else:
            messages.success(
                request, _("The decision on %(item)s is kept; the next run follows it.") % {"item": item}
            )
            return redirect(_item_url(found, item, filters.query()))
    return _card(request, found, item, form, status=422)


@require_POST
@requires("run_analysis")
def withdraw(request: HttpRequest, slug: str, study: int, pk: int) -> HttpResponse:
    """Withdraw a decision."""
    found = parts.study_of(request, study)
    decision = queries.decisions_of(found).filter(pk=pk).first()
    if decision is None:
        raise Http404
    operations.withdraw_decision(decision=decision, by=request.user)
    messages.success(
        request, _("The decision on %(item)s is withdrawn; the history keeps it.") % {"item": decision.item}
    )
    return redirect(_item_url(found, decision.item, Filters.of(request).query()))


@require_POST
@requires("run_analysis")
def accept_proposals(request: HttpRequest, slug: str, study: int, run: int) -> HttpResponse:
    """Take the decisions that the release rule proposes, all under one reason."""
    found = parts.study_of(request, study)
    one = parts.done_run_of(found, run)
    n = operations.take_proposals(
        study=found, run=one, reason=request.POST.get("reason", ""), by=request.user
    )
    messages.success(request, _("%(n)d items get parameters of their own in the groups named.") % {"n": n})
    return redirect(parts.address("run_new", found))
