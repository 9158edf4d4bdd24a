"""Prices and estimates: drawn from the registers, changed line by line, sent on with a trail, never overwritten."""

from __future__ import annotations

import dataclasses
import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import translation
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.readiness.models import Budget, BudgetLine, BudgetStep, Item, Price, Section, Source, Stream
from dienrong.readiness.operations.refusals import NotNow, ReadinessRefusal, demand_text
from dienrong.readiness.queries import access
from dienrong.readiness.queries.money import drawn_lines, total_of
from dienrong.readiness.queries.norms import norm_of
from dienrong.registry.models import AdministrativeUnit
from dienrong.rosters import charge

MOST_PRICE = 10**12
LANGUAGE = "vi"
State, Action = Budget.State, BudgetStep.Action
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    Action.SUBMIT: ((State.DRAFT,), State.APPRAISAL),
    Action.APPRAISE: ((State.APPRAISAL,), State.APPRAISED),
    Action.PROPOSE: ((State.APPRAISED,), State.PROPOSED),
    Action.APPROVE: ((State.PROPOSED,), State.APPROVED),
    Action.RETURN: ((State.APPRAISAL, State.APPRAISED, State.PROPOSED), State.RETURNED),
}
"""From which states each step leads, and where to: lập → thẩm định → trình → duyệt, or returned on the way."""


@transaction.atomic
def set_price(
    *,
    item: str,
    province: AdministrativeUnit | None,
    amount: int,
    legal_basis: str,
    from_day: datetime.date,
    by: Any,
) -> Price:
    """Set what an item costs from a day on; the price before ends on that day.

    Raises
    ------
    NotAllowed
        If the province is not in the person's charge; a price for all provinces is set for the whole country.
    ReadinessRefusal
        If the item is unknown, the price cannot be, or its ground is missing.
    NotNow
        If a price of this item begins on that day or later.
    """
    if province is None:
        charge.demand_nation(by, "manage_budgets")
    else:
        access.demand_province(by, "manage_budgets", province)
    if item not in Item.values or item in (Item.DUTY, Item.OTHER):
        raise ReadinessRefusal(_("Choose an item; allowances of duties stand under “Norms” of the staff."))
    if not 1 <= amount <= MOST_PRICE:
        raise ReadinessRefusal(_("A price is a whole number of dong, 1 or more."))
    basis = demand_text(legal_basis, _("Write where the price comes from."), most=240)
    rows = Price.objects.select_for_update().filter(item=item, province=province)
    if rows.filter(valid_from__gte=from_day).exists():
        raise NotNow(_("A price of this item begins on that day or later."), hint=_("Choose a later day."))
    rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=from_day)).update(valid_to=from_day)
    made = Price.objects.create(
        item=item, province=province, amount=amount, legal_basis=basis, valid_from=from_day
    )
    after = {"item": item, "amount": amount, "from": from_day, "province": province.code if province else ""}
    record(action="readiness.price_set", actor=by, obj=made, after=after)
    return made


@transaction.atomic
def begin_budget(*, cycle: Any, province: AdministrativeUnit, year: int, stream: str, by: Any) -> Budget:
    """Begin the estimate of a stream for a budget year.

    Raises
    ------
    NotAllowed
        If the province is not in the person's charge.
    ReadinessRefusal
        If year or stream cannot be.
    NotNow
        If there is one already.
    """
    access.demand_province(by, "manage_budgets", province)
    if stream not in Stream.values or not 2020 <= year <= 2060:
        raise ReadinessRefusal(_("Choose to whom the estimate goes, and a year from 2020 to 2060."))
    if Budget.objects.filter(cycle=cycle, province=province, year=year, stream=stream).exists():
        raise NotNow(
            _("This estimate was begun already."), hint=_("Open it, or make a further version of it.")
        )
    made = Budget.objects.create(cycle=cycle, province=province, year=year, stream=stream, version=1)
    after = {"year": year, "stream": stream, "province": province.code, "version": 1}
    record(action="readiness.budget_begun", actor=by, obj=made, after=after)
    return made


def _draft(budget: Budget, by: Any) -> Budget:
    """Hold an estimate whose lines may change.

    Raises
    ------
    NotNow
        If it was sent.
    """
    access.demand_province(by, "manage_budgets", budget.province)
    held = (
        Budget.objects.select_for_update(of=("self",)).select_related("province", "cycle").get(pk=budget.pk)
    )
    if held.state != State.DRAFT:
        raise NotNow(
            _("The estimate is in the state “%(state)s”; its lines cannot change.")
            % {"state": held.get_state_display()},
            hint=_("Make a further version that says what it changes."),
        )
    return held


@transaction.atomic
def fill_budget(*, budget: Budget, by: Any) -> list[str]:
    """Draw the lines from the registers anew; lines that were typed stay. Gives what could not be counted.

    Raises
    ------
    NotNow
        If the estimate was sent.
    """
    held = _draft(budget, by)
    _drafts, problems = drawn_lines(held, norm_of(held.cycle), clock.today())
    with translation.override(
        LANGUAGE
    ):  # an estimate is a document of the state, whatever the reader's language
        drafts, _problems = drawn_lines(held, norm_of(held.cycle), clock.today())
    priced = [one for one in drafts if one.unit_price]
    held.lines.exclude(origin=BudgetLine.Origin.TYPED).delete()
    first = (held.lines.aggregate(last=Max("position"))["last"] or 0) + 1
    BudgetLine.objects.bulk_create(
        [
            BudgetLine(budget=held, position=place, **dataclasses.asdict(one))
            for place, one in enumerate(priced, first)
        ],
        batch_size=500,
    )
    after = {"n_lines": len(priced), "total": total_of(held.lines.all())}
    record(action="readiness.budget_filled", actor=by, obj=held, after=after)
    return problems


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """A line that is typed."""

    section: str
    name: str
    unit: str
    quantity: Decimal
    norm: Decimal
    unit_price: int
    source: str
    legal_basis: str = ""


@transaction.atomic
def add_line(*, budget: Budget, facts: LineFacts, by: Any) -> BudgetLine:
    """Add a line that is typed.

    Raises
    ------
    ReadinessRefusal
        If a number cannot be, or a word is missing.
    NotNow
        If the estimate was sent.
    """
    held = _draft(budget, by)
    name = demand_text(facts.name, _("Write what is paid."), most=200)
    unit = demand_text(facts.unit, _("Write the unit that is counted."), most=30)
    _demand_line(facts)
    position = (held.lines.aggregate(last=Max("position"))["last"] or 0) + 1
    line = BudgetLine.objects.create(
        budget=held, position=position, section=facts.section, item=Item.OTHER, name=name, unit=unit,
        quantity=facts.quantity, norm=facts.norm, unit_price=facts.unit_price, source=facts.source,
        origin=BudgetLine.Origin.TYPED, legal_basis=clean_text(facts.legal_basis)[:240],
    )  # fmt: skip
    record(action="readiness.line_added", actor=by, obj=held, after={"name": name, "amount": line.amount})
    return line


def _demand_line(facts: LineFacts) -> None:
    """Refuse numbers and choices that cannot be."""
    if facts.section not in Section.values or facts.source not in Source.values:
        raise ReadinessRefusal(_("Choose part and source of the line."))
    for value in (facts.quantity, facts.norm):
        if not 0 < value < 10**7 or value != round(value, 1):
            raise ReadinessRefusal(_("Quantity and norm are above 0, with one decimal at most."))
    if not 1 <= facts.unit_price <= MOST_PRICE:
        raise ReadinessRefusal(_("A price is a whole number of dong, 1 or more."))


@transaction.atomic
def change_source(*, line: BudgetLine, source: str, by: Any) -> BudgetLine:
    """Say from where a line is paid.

    Raises
    ------
    ReadinessRefusal
        If there is no such source.
    NotNow
        If the estimate was sent.
    """
    held = _draft(line.budget, by)
    if source not in Source.values:
        raise ReadinessRefusal(_("Choose part and source of the line."))
    before, line.source = line.source, Source(source)
    line.save(update_fields=["source"])
    after = {"name": line.name, "source": source}
    record(action="readiness.line_changed", actor=by, obj=held, before={"source": before}, after=after)
    return line


@transaction.atomic
def remove_line(*, line: BudgetLine, by: Any) -> None:
    """Take a line out.

    Raises
    ------
    NotNow
        If the estimate was sent.
    """
    held = _draft(line.budget, by)
    before = {"name": line.name, "amount": line.amount}
    line.delete()
    record(action="readiness.line_removed", actor=by, obj=held, before=before)


@transaction.atomic
def move_budget(*, budget: Budget, action: str, document: str, note: str, by: Any) -> BudgetStep:
    """Take the estimate a step on: sent, appraised, laid before the authority, approved; or returned with a reason.

    Raises
    ------
    NotAllowed
        If the province is not in the person's charge.
    NotNow
        If the state forbids the step, or nothing is in the estimate.
    ReadinessRefusal
        If an approval names no document, or a return no reason.
    """
    access.demand_province(by, "manage_budgets", budget.province)
    held = (
        Budget.objects.select_for_update(of=("self",)).select_related("province", "cycle").get(pk=budget.pk)
    )
    if action not in STEPS:
        raise ReadinessRefusal(_("Choose what becomes of the estimate."))
    states, after = STEPS[action]
    if held.state not in states:
        raise NotNow(
            _("The estimate is in the state “%(state)s”; it does not wait for this step.")
            % {"state": held.get_state_display()}
        )
    total = total_of(held.lines.all())
    if not total:
        raise NotNow(_("The estimate has no lines yet."), hint=_("Draw it from the registers, or add lines."))
    if action in (Action.APPRAISE, Action.PROPOSE, Action.APPROVE):
        document = demand_text(document, _("Write number and day of the document."), most=120)
    if action == Action.RETURN:
        note = demand_text(note, _("Write why the estimate was returned."))
    step = BudgetStep.objects.create(
        budget=held, action=action, document=clean_text(document)[:120], note=clean_text(note)[:300],
        total=total, at=clock.now(), by=by,
    )  # fmt: skip
    before, held.state = held.state, State(after)
    held.save(update_fields=["state"])
    changes = {"state": after, "document": step.document, "note": step.note, "total": total}
    record(action="readiness.budget_moved", actor=by, obj=held, before={"state": before}, after=changes)
    return step


@transaction.atomic
def further_version(*, budget: Budget, change_note: str, by: Any) -> Budget:
    """Make a further version with the same lines; the version before stands as it was, marked as replaced if it was open.

    Raises
    ------
    NotNow
        If the newest version is still a draft, or this is not the newest.
    ReadinessRefusal
        If nothing says what it changes.
    """
    access.demand_province(by, "manage_budgets", budget.province)
    held = (
        Budget.objects.select_for_update(of=("self",)).select_related("province", "cycle").get(pk=budget.pk)
    )
    same = Budget.objects.filter(cycle=held.cycle, province=held.province, year=held.year, stream=held.stream)
    if same.filter(version__gt=held.version).exists() or held.state == State.DRAFT:
        raise NotNow(_("Only the newest version that was sent leads to a further one."))
    note = demand_text(change_note, _("Write what the further version changes."))
    made = Budget.objects.create(
        cycle=held.cycle, province=held.province, year=held.year, stream=held.stream,
        version=held.version + 1, change_note=note,
    )  # fmt: skip
    lines = list(held.lines.all())
    for line in lines:
        line.pk, line.budget = None, made
    BudgetLine.objects.bulk_create(lines, batch_size=500)
    if held.state not in (State.APPROVED, State.RETURNED):
        held.state = State.REPLACED
        held.save(update_fields=["state"])
    after = {"version": made.version, "note": note, "n_lines": len(lines)}
    record(action="readiness.budget_begun", actor=by, obj=made, after=after)
    return made
