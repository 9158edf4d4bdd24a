"""Prices in force, the gap as lines, the quantities of training: what estimates are drawn from."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from dienrong.capacity.models import AllowanceNorm, Kind
from dienrong.capacity.queries.counting import CannotCount
from dienrong.capacity.queries.planning import capacity_of
from dienrong.readiness.models import (
    Budget,
    BudgetLine,
    Item,
    NormSet,
    Price,
    Section,
    Source,
    Stream,
    Survey,
)
from dienrong.readiness.models.money import UNITS, amount_of
from dienrong.registry.models import AdministrativeUnit

LACKED = {
    "lack_machines": Item.MACHINE,
    "lack_headphones": Item.HEADPHONES,
    "lack_power": Item.POWER,
    "lack_server": Item.SERVER,
    "lack_network": Item.NETWORK,
}
SOURCES = {
    Item.MACHINE: Source.INVESTMENT,
    Item.SERVER: Source.INVESTMENT,
    Item.POWER: Source.PROVINCE,
    Item.HEADPHONES: Source.COMMUNE,
    Item.NETWORK: Source.COMMUNE,
}
"""Proposal for the source of each item; the officer changes it line by line."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A line of an estimate before it is kept; amounts in đồng."""

    section: str
    item: str
    name: str
    unit: str
    quantity: Decimal
    norm: Decimal
    unit_price: int
    source: str
    origin: str
    school_id: int | None = None
    legal_basis: str = ""

    @property
    def amount(self) -> int:
        """Quantity × norm × unit price."""
        return amount_of(self.quantity, self.norm, self.unit_price)


def prices_on(day: datetime.date, province: AdministrativeUnit) -> dict[str, Price]:
    """Give the unit prices in force on a day by item: the province's own, else those for all."""
    rows = Price.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=day),
        Q(province=province) | Q(province__isnull=True),
        valid_from__lte=day,
    )
    found: dict[str, Price] = {}
    for row in sorted(rows, key=lambda one: (one.province_id is not None, one.valid_from)):
        found[row.item] = row
    return found


def procurement(cycle: Any, province: AdministrativeUnit, prices: Mapping[str, Price]) -> list[Draft]:
    """Give what schools lack: missing quantity × unit price, by school and item, schools by name.

    Schools for which the officer decided on paper buy nothing; schools not surveyed are not guessed.
    """
    asked = (
        Survey.objects.filter(cycle=cycle, school__province=province, school__is_open=True)
        .filter(state__in=(Survey.State.SUBMITTED, Survey.State.CHECKED, Survey.State.ACCEPTED))
        .exclude(decided="paper")
        .select_related("school")
        .order_by("school__sort_key", "school__school_id")
    )
    lines = []
    for survey in asked:
        for column, item in LACKED.items():
            n = getattr(survey, column)
            if not n:
                continue
            price = prices.get(item)
            lines.append(
                Draft(
                    section=Section.EQUIPMENT,
                    item=item,
                    name=str(item.label),
                    unit=str(UNITS[item]),
                    quantity=Decimal(n),
                    norm=Decimal(1),
                    unit_price=price.amount if price else 0,
                    source=SOURCES[item],
                    origin=BudgetLine.Origin.GAP,
                    school_id=survey.school_id,
                    legal_basis=price.legal_basis if price else "",
                )
            )
    return lines


def duties(cycle: Any, province: AdministrativeUnit, day: datetime.date) -> list[Draft]:
    """Give the allowances of duties: people needed by the staff norm × paid days × allowance of a day.

    Raises
    ------
    CannotCount
        If the work of the cycle is not known.
    """
    bases = {one.kind: one.legal_basis for one in AllowanceNorm.objects.filter(valid_to__isnull=True)}
    return [
        Draft(
            section=Section.DUTIES,
            item=Item.DUTY,
            name=_("Allowance: %(who)s") % {"who": one.kind_word},
            unit=str(UNITS[Item.DUTY]),
            quantity=Decimal(one.n_needed),
            norm=one.n_days,
            unit_price=one.allowance or 0,
            source=Source.PROVINCE,
            origin=BudgetLine.Origin.CAPACITY,
            legal_basis=bases.get(one.kind, ""),
        )
        for one in capacity_of(cycle, day, frozenset({province.code}))
        if one.n_needed and one.n_days
    ]


def training(
    cycle: Any, province: AdministrativeUnit, norm: NormSet, prices: Mapping[str, Price], day: datetime.date
) -> list[Draft]:
    """Give the costs of training those who are missing by the register: learners by kind, trainers, hall, materials.

    Raises
    ------
    CannotCount
        If the work of the cycle is not known.
    """
    needs = [one for one in capacity_of(cycle, day, frozenset({province.code})) if one.n_missing]
    learners = sum(one.n_missing for one in needs)
    days, n_classes = Decimal(norm.n_training_days), -(-learners // norm.class_size)
    rows: list[tuple[str, str, int, Decimal]] = [
        (
            Item.LEARNER_DAY,
            _("Support of learners: %(who)s") % {"who": Kind(one.kind).label},
            one.n_missing,
            days,
        )
        for one in needs
    ]
    if learners:
        rows += [
            (Item.TRAINER_DAY, str(Item.TRAINER_DAY.label), n_classes, days),
            (Item.HALL_DAY, str(Item.HALL_DAY.label), n_classes, days),
            (Item.MATERIALS, str(Item.MATERIALS.label), learners, Decimal(1)),
        ]
    lines = []
    for item, name, n, times in rows:
        price = prices.get(item)
        lines.append(
            Draft(
                section=Section.TRAINING,
                item=item,
                name=name,
                unit=str(UNITS[Item(item)]),
                quantity=Decimal(n),
                norm=times,
                unit_price=price.amount if price else 0,
                source=Source.PROVINCE,
                origin=BudgetLine.Origin.CAPACITY,
                legal_basis=price.legal_basis if price else "",
            )
        )
    return lines


def drawn_lines(budget: Budget, norm: NormSet | None, day: datetime.date) -> tuple[list[Draft], list[str]]:
    """Draw the lines of an estimate from the registers; and say what could not be counted."""
    prices = prices_on(day, budget.province)
    lines: list[Draft] = []
    problems: list[str] = []
    if budget.stream == Stream.FINANCE:
        lines += procurement(budget.cycle, budget.province, prices)
    try:
        if budget.stream == Stream.FINANCE:
            lines += duties(budget.cycle, budget.province, day)
        elif norm is not None:
            lines += training(budget.cycle, budget.province, norm, prices, day)
    except CannotCount as refusal:
        problems.append(f"{refusal.sentence} {refusal.hint}".strip())
    unpriced = sorted({one.name for one in lines if not one.unit_price})
    if unpriced:
        problems.append(_("No price in force: %(names)s.") % {"names": ", ".join(unpriced[:6])})
    return lines, problems


def total_of(lines: Iterable[Any]) -> int:
    """Sum lines up, in đồng."""
    return sum(one.amount for one in lines)


def sums_by(lines: Iterable[Any], name: str, words: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Sum lines up by a column, in the order of its words."""
    sums: dict[str, int] = {}
    counts: dict[str, int] = {}
    for one in lines:
        key = getattr(one, name)
        sums[key] = sums.get(key, 0) + one.amount
        counts[key] = counts.get(key, 0) + 1
    return [
        {"code": key, "word": str(word), "amount": sums[key], "n": counts[key]}
        for key, word in words.items()
        if key in sums
    ]
