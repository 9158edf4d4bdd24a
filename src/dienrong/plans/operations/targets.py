"""Targets that provinces add, and readings of indicators."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.plans.definitions import digest_of, indicator_of
from dienrong.plans.models import Phase, PlanDocument, Reading, Target
from dienrong.plans.operations.refusals import NotNow, PlanRefusal, demand_text
from dienrong.plans.queries import access
from dienrong.registry.models import AdministrativeUnit


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """A target that a province adds: the indicator, the share, and the document that sets it, with its words."""

    indicator: str
    phase: Phase
    share: Decimal
    number: str
    issued_on: datetime.date
    place: str
    quote: str


@transaction.atomic
def add_target(*, unit: AdministrativeUnit | None, facts: TargetFacts, by: Any) -> Target:
    """Add a target of a province, or of the nation; it holds beside those of the loaded documents.

    Raises
    ------
    NotAllowed
        If the unit is not in the person's charge.
    PlanRefusal
        If the share is none, the indicator is unknown, or document, place or quote is missing.
    NotNow
        If the same document sets a target of the indicator in the phase already.
    """
    access.demand_unit(by, access.unit_of_row(unit), "change_plans")
    indicator_of(facts.indicator)
    if not 0 < facts.share <= 1:
        raise PlanRefusal(_("A target is a share above 0% and up to 100%."), hint=_("Write 80 for 80%."))
    if facts.issued_on > clock.today():
        raise PlanRefusal(_("The document is dated after today."), hint=_("Correct the day of issue."))
    number = demand_text(facts.number, _("Write number and symbol of the document."), longest=60)
    document = _own_document(unit, number, facts.issued_on, by)
    if document.targets.filter(
        phase=facts.phase, indicator=facts.indicator, withdrawn_at__isnull=True
    ).exists():
        raise NotNow(
            _("This document sets a target of this indicator in the phase already."),
            hint=_("Withdraw that one first."),
        )
    target = Target.objects.create(
        document=document,
        phase=facts.phase,
        indicator=facts.indicator,
        share=facts.share,
        place=demand_text(facts.place, _("Write where in the document the target stands."), longest=40),
        quote=demand_text(facts.quote, _("Write the words of the document."), longest=2000),
        is_added=True,
        added_by=by,
    )
    after = {
        "indicator": target.indicator,
        "share": target.share,
        "document": number,
        "phase": facts.phase.code,
    }
    record(action="plans.target_added", actor=by, obj=target, after=after)
    return target


def _own_document(unit: Any, number: str, issued_on: datetime.date, by: Any) -> PlanDocument:
    """Give the document that a unit entered under a number, a new one where it entered none."""
    kept = PlanDocument.objects.filter(unit=unit, number=number, source_kind=PlanDocument.Source.OWN).first()
    if kept is not None:
        return kept
    seed = digest_of([unit.pk if unit is not None else None, number, issued_on.isoformat()])
    return PlanDocument.objects.create(
        code=f"{unit.code if unit is not None else 'bo'}-{seed[7:19]}",
        unit=unit,
        source_kind=PlanDocument.Source.OWN,
        number=number,
        issued_on=issued_on,
        issuer=unit.full_name if unit is not None else _("Ministry of Education and Training"),
        kind_word="",
        title=number,
        digest=seed,
        loaded_at=clock.now(),
        loaded_by=by,
    )


@transaction.atomic
def withdraw_target(*, target: Target, reason: str, by: Any) -> None:
    """Withdraw a target that a unit added; those of loaded documents stay as written.

    Raises
    ------
    NotAllowed
        If its unit is not in the person's charge.
    NotNow
        If it was not added by a unit, or is withdrawn.
    PlanRefusal
        If no reason is written.
    """
    target = Target.objects.select_for_update(of=("self",)).select_related("document__unit").get(pk=target.pk)
    access.demand_unit(by, access.unit_of_row(target.document.unit), "change_plans")
    if not target.is_added:
        raise NotNow(_("A target of a loaded document stays as it is written there."))
    if target.withdrawn_at is not None:
        raise NotNow(_("This target is withdrawn already."))
    target.withdrawn_reason = demand_text(reason, _("Write why the target is withdrawn."))
    target.withdrawn_at = clock.now()
    target.save()
    record(action="plans.target_withdrawn", actor=by, obj=target, after={"reason": target.withdrawn_reason})


@transaction.atomic
def set_reading(
    *, unit: AdministrativeUnit | None, indicator: str, choices: Mapping[str, str], reason: str, by: Any
) -> Reading:
    """Set how a unit reads an indicator from today on; without unit for the whole country.

    Raises
    ------
    NotAllowed
        If the person does not act for the unit; the nation's reading is the ministry's.
    UnknownIndicator
        If the indicator, or a choice, is unknown.
    PlanRefusal
        If no reason is written.
    NotNow
        If this is the reading that holds.
    """
    access.demand_unit(by, access.unit_of_row(unit), "change_plans")
    chosen = indicator_of(indicator).chosen(choices)
    why = demand_text(reason, _("Write why it is read so, best with the document that says it."))
    rows = Reading.objects.filter(unit=unit, indicator=indicator)
    last = rows.first()
    if last is not None and indicator_of(indicator).chosen(last.choices) == chosen:
        raise NotNow(_("This is how it is read already."))
    version = (rows.aggregate(last=Max("version"))["last"] or 0) + 1
    made = Reading.objects.create(
        unit=unit,
        indicator=indicator,
        version=version,
        choices=chosen,
        reason=why,
        valid_from=clock.today(),
        set_at=clock.now(),
        set_by=by,
    )
    before = indicator_of(indicator).chosen(last.choices if last is not None else None)
    record(action="plans.reading_set", actor=by, obj=made, before=before, after=chosen)
    return made
