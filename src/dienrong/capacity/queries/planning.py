"""Required against available capacity of a cycle by province, and what the duties would be paid."""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from dienrong.capacity import ports
from dienrong.capacity.models import AllowanceNorm, Kind, Posting, StaffNorm
from dienrong.capacity.queries import places
from dienrong.capacity.queries.counting import CannotCount, certified_on
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.queries import in_force


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One kind of people in one province: needed by the norm, in the register, certified of these.

    ``amount`` is in đồng: people needed × paid days × allowance of the day; None where no allowance is set.
    """

    province_code: str
    province_name: str
    kind: str
    n_needed: int
    n_people: int
    n_certified: int
    n_days: Decimal
    allowance: int | None

    @property
    def kind_word(self) -> str:
        """The kind in words."""
        return str(Kind(self.kind).label)

    @property
    def n_missing(self) -> int:
        """Certified people who are missing; never below 0."""
        return max(0, self.n_needed - self.n_certified)

    @property
    def person_days(self) -> Decimal:
        """Paid days of all who are needed."""
        return self.n_needed * self.n_days

    @property
    def amount(self) -> Decimal | None:
        """What these days are paid, in đồng."""
        return None if self.allowance is None else self.person_days * self.allowance


def norms_of(cycle: Any) -> dict[str, StaffNorm]:
    """Give the norms of a cycle by kind: its own, else those for all cycles."""
    rows = StaffNorm.objects.filter(Q(cycle=cycle) | Q(cycle__isnull=True))
    found: dict[str, StaffNorm] = {}
    for row in sorted(rows, key=lambda one: one.cycle_id is not None):
        found[row.kind] = row
    return dict(sorted(found.items()))


def allowances_on(day: datetime.date) -> dict[str, AllowanceNorm]:
    """Give the allowances in force on a day by kind."""
    rows = AllowanceNorm.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day)
    found: dict[str, AllowanceNorm] = {}
    for row in rows.order_by("valid_from"):
        found[row.kind] = row
    return found


def needed(norm: StaffNorm, work: ports.Work) -> int:
    """Give how many people a norm asks for: people × (work / unit of work, rounded up).

    Examples
    --------
    Two people for each 3 schools begun: seven schools need 2 × 3 = 6.
    """
    n_work = {
        StaffNorm.Per.PROVINCE: 1 if work.n_schools else 0,
        StaffNorm.Per.SCHOOL: work.n_schools,
        StaffNorm.Per.SITTING: work.n_sittings,
        StaffNorm.Per.STUDENT: work.n_students,
    }[StaffNorm.Per(norm.per)]
    return norm.n_people * -(-n_work // norm.n_work)


def capacity_of(cycle: Any, day: datetime.date, provinces: frozenset[str] | None = None) -> list[Need]:
    """Set required against available people of a cycle by province and kind, as of a day.

    Parameters
    ----------
    cycle : Cycle
        Its sampled work is told by the fieldwork.
    day : datetime.date
        Posts, places and certificates count as on this day.
    provinces : frozenset of str, optional
        Codes of the provinces wanted; all where None.

    Raises
    ------
    CannotCount
        If no room tells the work of the cycle.
    """
    work = ports.work_of(cycle)
    if work is None:
        raise CannotCount(_("The work of this cycle is not known here."), hint=_("Draw a sample first."))
    norms, allowances = norms_of(cycle), allowances_on(day)
    people, certified = _available(tuple(norms), day)
    units = AdministrativeUnit.objects.filter(in_force(day), level=AdministrativeUnit.Level.PROVINCE)
    rows: list[Need] = []
    for unit in units.order_by("code"):
        if unit.code not in work or (provinces is not None and unit.code not in provinces):
            continue
        for kind, norm in norms.items():
            paid = allowances.get(kind)
            rows.append(
                Need(
                    province_code=unit.code,
                    province_name=unit.full_name,
                    kind=kind,
                    n_needed=needed(norm, work[unit.code]),
                    n_people=people[unit.pk, kind],
                    n_certified=certified[unit.pk, kind],
                    n_days=norm.n_days,
                    allowance=paid.amount if paid is not None else None,
                )
            )
    return rows


def _available(
    kinds: tuple[str, ...], day: datetime.date
) -> tuple[Counter[tuple[int, str]], Counter[tuple[int, str]]]:
    """Count people by province and kind, and those of them who hold a certificate in force."""
    columns = ("pk", "level", "unit_id", "school_id", "person_id", "kind")
    posts = list(Posting.objects.filter(in_force(day), kind__in=kinds).order_by().values_list(*columns))
    lying = places.lying_of_rows([row[:4] for row in posts], day)
    holders = certified_on(day)
    found: Mapping[tuple[int, str], set[int]] = defaultdict(set)
    for key, _level, _unit, _school, person, kind in posts:
        sure = lying[key].sure
        if sure is not None and sure.province is not None:
            found[sure.province, kind].add(person)
    people = Counter({place: len(keys) for place, keys in found.items()})
    certified = Counter({place: len(keys & holders) for place, keys in found.items()})
    return people, certified


def totals(rows: list[Need]) -> list[dict[str, Any]]:
    """Add the needs up by kind, in the order of the kinds."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        sums = found.setdefault(
            row.kind,
            {"kind_word": row.kind_word, "n_needed": 0, "n_people": 0, "n_certified": 0, "n_missing": 0,
             "person_days": Decimal(0), "amount": Decimal(0), "is_paid": row.allowance is not None},
        )  # fmt: skip
        for name in ("n_needed", "n_people", "n_certified", "n_missing", "person_days"):
            sums[name] += getattr(row, name)
        sums["amount"] += row.amount or 0
    return list(found.values())
