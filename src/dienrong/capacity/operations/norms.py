"""Norms of staff and of allowances."""

from __future__ import annotations

import dataclasses
import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.capacity.models import AllowanceNorm, Kind, StaffNorm
from dienrong.capacity.operations.refusals import CapacityRefusal, NotNow, demand_text
from dienrong.core.text import clean_text
from dienrong.rosters import charge


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NormFacts:
    """So many people of a kind for so much work, each paid so many days; without a cycle for all that have none."""

    kind: str
    n_people: int
    per: str
    n_work: int
    n_days: Decimal
    note: str = ""
    cycle: Any = None


@transaction.atomic
def set_norm(*, facts: NormFacts, by: Any) -> StaffNorm:
    """Set how many people of a kind a cycle needs for so much work.

    Raises
    ------
    NotAllowed
        If the person does not set norms for the whole country.
    CapacityRefusal
        If kind or work is unknown, or a number cannot be.
    """
    charge.demand_nation(by, "change_norms")
    if facts.kind not in Kind.values or facts.per not in StaffNorm.Per.values:
        raise CapacityRefusal(_("Choose who is needed and for what."))
    if facts.n_people < 0 or facts.n_work < 1 or facts.n_days < 0:
        raise CapacityRefusal(_("A norm counts people (0 or more) for some work (1 or more)."))
    values = {
        "n_people": facts.n_people,
        "per": facts.per,
        "n_work": facts.n_work,
        "n_days": facts.n_days,
    }
    note = clean_text(facts.note)[:200]
    norm, is_new = StaffNorm.objects.update_or_create(
        cycle=facts.cycle, kind=facts.kind, defaults={**values, "note": note}
    )
    after = {"kind": facts.kind, **values, "is_new": is_new}
    record(action="capacity.norm_set", actor=by, obj=norm, after=after)
    return norm


@transaction.atomic
def set_allowance(
    *, kind: str, amount: int, legal_basis: str, from_day: datetime.date, by: Any
) -> AllowanceNorm:
    """Set what a day of duty of a kind is paid, in đồng, from a day on; the norm before ends on that day.

    Raises
    ------
    NotAllowed
        If the person does not set norms for the whole country.
    CapacityRefusal
        If the kind is unknown, or the legal basis is missing.
    NotNow
        If a norm of this kind begins on that day or later.
    """
    charge.demand_nation(by, "change_norms")
    if kind not in Kind.values or amount < 0:
        raise CapacityRefusal(_("Choose who is paid, and an amount of 0 or more."))
    basis = demand_text(legal_basis, _("Write by which document the allowance is paid."))[:200]
    rows = AllowanceNorm.objects.select_for_update().filter(kind=kind)
    if rows.filter(valid_from__gte=from_day).exists():
        raise NotNow(
            _("An allowance of this kind begins on that day or later."), hint=_("Choose a later day.")
        )
    rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=from_day)).update(valid_to=from_day)
    made = AllowanceNorm.objects.create(kind=kind, amount=amount, legal_basis=basis, valid_from=from_day)
    after = {"kind": kind, "amount": amount, "from": from_day, "basis": basis}
    record(action="capacity.allowance_set", actor=by, obj=made, after=after)
    return made
