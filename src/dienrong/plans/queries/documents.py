"""Phases, documents and targets; the documents of a province include those of the provinces that became it."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from dienrong.core import clock
from dienrong.plans.definitions import INDICATORS
from dienrong.plans.models import Phase, PlanDocument, Target
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.queries import origins_of


def phase_on(day: datetime.date) -> Phase | None:
    """Give the phase of a day: the first that has not ended, else the last one."""
    return Phase.objects.filter(last_day__gte=day).first() or Phase.objects.last()


def phase_of(code: str) -> Phase | None:
    """Give a phase by its code, the present one where none is named."""
    return Phase.objects.filter(code=code).first() if code else phase_on(clock.today())


def phases() -> list[Phase]:
    """List the phases."""
    return list(Phase.objects.all())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """A province that lives on in another: until when it was one of its own, by which decision."""

    unit: AdministrativeUnit
    until: datetime.date
    decision: str


def ancestors_of(unit: AdministrativeUnit | None) -> list[Ancestor]:
    """List the provinces that became a province, the same code included, generation by generation."""
    found: list[Ancestor] = []
    seen: set[int] = set()
    walking = [unit] if unit is not None else []
    while walking:
        onward = []
        for one in walking:
            for row in origins_of(one):
                before = row.predecessor
                if before.pk in seen or before.level != AdministrativeUnit.Level.PROVINCE:
                    continue
                seen.add(before.pk)
                found.append(Ancestor(unit=before, until=row.on_date, decision=row.decision))
                onward.append(before)
        walking = onward
    return found


def documents_of(unit: AdministrativeUnit | None) -> list[PlanDocument]:
    """List the documents of a province: its own and those of the provinces that became it, the newest first.

    Without unit the national ones.
    """
    found = PlanDocument.objects.select_related("unit")
    if unit is None:
        return list(found.filter(unit__isnull=True))
    keys = [unit.pk, *(one.unit.pk for one in ancestors_of(unit))]
    return list(found.filter(unit__in=keys))


def document_by_code(code: str) -> PlanDocument | None:
    """Give a document."""
    return PlanDocument.objects.select_related("unit").filter(code=code).first()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a unit has to reach in one indicator of a phase.

    ``own`` is the target of the unit's newest document that names the indicator, ``national`` that of the project,
    ``others`` further ones of the unit's documents.
    """

    indicator: Any
    own: Target | None
    national: Target | None
    others: tuple[Target, ...] = ()

    @property
    def target(self) -> Target:
        """The target that holds: the own one where it names a share, else the national one, else the words alone."""
        if self.own is not None and self.own.share is not None:
            return self.own
        found = self.national if self.national is not None else self.own
        assert found is not None, "an aim has a target"
        return found

    @property
    def is_national(self) -> bool:
        """Whether the share that holds is the nation's because the own document names none."""
        return self.target is self.national


def aims_of(unit: AdministrativeUnit | None, phase: Phase) -> list[Aim]:
    """List what a province (or the nation) has to reach in a phase, in the order of the indicators."""
    rows = Target.objects.filter(phase=phase, withdrawn_at__isnull=True).select_related(
        "document__unit", "phase"
    )
    national = {one.indicator: one for one in rows.filter(document__unit__isnull=True)}
    documents = documents_of(unit) if unit is not None else []
    place = {one.pk: number for number, one in enumerate(documents)}
    own: dict[str, list[Target]] = {}
    for one in sorted(rows.filter(document__in=place), key=lambda row: place[row.document_id]):
        own.setdefault(one.indicator, []).append(one)
    found = []
    for code, indicator in INDICATORS.items():
        mine = own.get(code, [])
        if mine or code in national:
            found.append(
                Aim(
                    indicator=indicator,
                    own=mine[0] if mine else None,
                    national=national.get(code),
                    others=tuple(mine[1:]),
                )
            )
    return found
