"""The norm of a cycle: set by the Ministry, a version each time, every school judged again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.readiness import judging
from dienrong.readiness.models import CheckRule, Measure, NormSet, Survey, Weight
from dienrong.readiness.operations.judging_again import judge_cycle
from dienrong.readiness.operations.refusals import ReadinessRefusal, demand_text
from dienrong.readiness.queries.norms import norm_of
from dienrong.rosters import charge


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NormFacts:
    """The numbers of a norm; shares in per cent."""

    n_students: int = 35
    sitting_size: int = 35
    n_sittings: int = 1
    spare_percent: int = 10
    mixed_percent: int = 50
    checked_percent: int = 30
    headphones_percent: int = 0
    n_it_staff: int = 1
    needs_backup_power: bool = True
    needs_server: bool = True
    needs_network: bool = False
    n_training_days: int = 2
    class_size: int = 50
    legal_basis: str = ""


STANDARD_RULES: tuple[judging.Rule, ...] = tuple(
    judging.Rule(measure=measure, weight=weight, bound=Decimal(bound))
    for measure, weight, bound in (
        ("chromium", "must", "109"),
        ("firefox", "must", "115"),
        ("screen_width", "must", "1024"),
        ("screen_height", "must", "600"),
        ("screen_width", "should", "1366"),
        ("memory_gb", "must", "2"),
        ("storage_works", "must", "1"),
        ("storage_mb", "should", "200"),
        ("clock_skew_s", "should", "300"),
        ("typing_works", "must", "1"),
        ("sound_works", "should", "1"),
        ("autosave_works", "must", "1"),
        ("latency_ms", "should", "800"),
        ("down_kbps", "should", "512"),
        ("up_kbps", "should", "256"),
        ("loss_percent", "should", "5"),
        ("server_works", "should", "1"),
    )
)
"""Proposal for a first norm; the Ministry sets what holds."""


@transaction.atomic
def set_norm(*, cycle: Any, facts: NormFacts, rules: Sequence[judging.Rule], by: Any) -> NormSet:
    """Set the norm of a cycle as a further version, and judge every school and machine by it.

    Raises
    ------
    NotAllowed
        If the person does not set norms for the whole country.
    ReadinessRefusal
        If a number cannot be, a rule is unknown or stands twice, or the legal ground is missing.
    """
    charge.demand_nation(by, "set_readiness_norms")
    _demand_numbers(facts)
    basis = demand_text(facts.legal_basis, _("Write by which document the norm holds."), most=240)
    if any(one.measure not in Measure.values or one.weight not in Weight.values for one in rules):
        raise ReadinessRefusal(_("A rule names a measure that there is not."))
    if len({(one.measure, one.weight) for one in rules}) != len(rules):
        raise ReadinessRefusal(_("A measure has one bound of each weight."))
    before = norm_of(cycle)
    norm = NormSet.objects.create(
        cycle=cycle,
        version=before.version + 1 if before else 1,
        made_by=by,
        **(dataclasses.asdict(facts) | {"legal_basis": basis}),
    )
    CheckRule.objects.bulk_create(
        CheckRule(norm=norm, measure=one.measure, weight=one.weight, bound=one.bound) for one in rules
    )
    if before is None or before.n_students != facts.n_students:
        from dienrong.readiness.operations.rounds import set_students

        set_students(list(Survey.objects.filter(cycle=cycle)), norm)
    n_schools = judge_cycle(cycle, norm_of(cycle) or norm)  # read again with its rules, once for all machines
    after = dataclasses.asdict(facts) | {
        "version": norm.version,
        "rules": [f"{one.measure} {one.weight} {one.bound}" for one in rules],
        "n_schools": n_schools,
    }
    record(action="readiness.norm_set", actor=by, obj=norm, after=after)
    return norm


def _demand_numbers(facts: NormFacts) -> None:
    """Refuse numbers that cannot be."""
    for name in ("n_students", "sitting_size", "n_sittings", "class_size", "n_training_days"):
        if not 1 <= getattr(facts, name) <= 10_000:
            raise ReadinessRefusal(
                _("The number “%(name)s” is from 1 to 10.000.")
                % {"name": NormSet._meta.get_field(name).verbose_name}
            )
    for name in ("mixed_percent", "checked_percent", "headphones_percent", "spare_percent"):
        if not 0 <= getattr(facts, name) <= 100:
            raise ReadinessRefusal(
                _("The share “%(name)s” is from 0 to 100.")
                % {"name": NormSet._meta.get_field(name).verbose_name}
            )
