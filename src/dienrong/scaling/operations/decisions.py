"""Decisions of items: taken with a reason, withdrawn, never changed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict
from dienrong.core.text import clean_text
from dienrong.scaling import queries
from dienrong.scaling.models import ItemDecision, ScalingRun, ScalingStudy
from dienrong.scaling.numeric import board
from dienrong.scaling.operations.refusals import DecisionRefused

KIND = ItemDecision.Kind
ALONE = (KIND.DROP, KIND.KEEP)
"""A dropped item needs nothing else, a kept one has nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """What is decided of an item: ``scores`` joins categories (old to new), ``groups`` get their own parameters."""

    item: str
    kind: str
    reason: str
    scores: Mapping[int, int] = field(default_factory=dict)
    groups: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownItem:
    """What a decision must fit: the item's highest score and the groups of the run it was seen in."""

    item: str
    max_score: int
    groups: Sequence[str] = ()


@transaction.atomic
def take_decision(
    *, study: ScalingStudy, new: NewDecision, known: KnownItem, run: ScalingRun | None, by: Any | None
) -> ItemDecision:
    """Take a decision of an item.

    Invariant: an item that is left out has no other decision that holds, nor has one that is kept as it is; each
    kind holds once, but for sets of groups that share no group.

    Raises
    ------
    DecisionRefused
        If the reason is missing, categories are joined in a way that is no order, or no group is named.
    Conflict
        If another decision of the item stands against it.
    """
    if by is not None:
        demand(by, "run_analysis")
    held = ScalingStudy.objects.select_for_update().get(pk=study.pk)
    details = _details(new, known)
    reason = clean_text(new.reason)
    if not reason:
        raise DecisionRefused(
            _("A decision needs its reason."),
            hint=_("Write in a few words what you saw and why you decide so."),
        )
    _refuse_contradictions(held, new, known.groups)
    decision = ItemDecision.objects.create(
        study=held,
        item=new.item,
        kind=new.kind,
        details=details,
        reason=reason[:500],
        run=run,
        taken_at=clock.now(),
        taken_by=by,
    )
    record(
        action="scaling.decision_taken",
        actor=by,
        obj=held,
        after={"item": new.item, "kind": new.kind, "details": details, "reason": reason},
    )
    return decision


def _details(new: NewDecision, known: KnownItem) -> dict[str, Any]:
    """Check what a kind asks for and give it as plain values."""
    if new.kind not in KIND.values:
        raise DecisionRefused(_("This kind of decision is not known."), hint=_("Choose one of the list."))
    if new.kind == KIND.COLLAPSE:
        return {"scores": {str(old): score for old, score in sorted(_scores(new, known).items())}}
    if new.kind == KIND.FREE:
        groups = sorted(set(new.groups))
        strange = [name for name in groups if name not in known.groups]
        if not groups or strange:
            raise DecisionRefused(
                _("Name the groups for which the item gets its own parameters.")
                if not groups
                else _("The run has no group “%(name)s”.") % {"name": strange[0]},
                hint=_("Choose among: %(groups)s.") % {"groups": ", ".join(known.groups)}
                if known.groups
                else _("The run has one group only; run it with a column of groups first."),
            )
        if len(groups) == len(known.groups):
            raise DecisionRefused(
                _("Not every group can have its own parameters: nothing would tie the groups together."),
                hint=_("Leave at least one group with the common parameters, or leave the item out."),
            )
        return {"groups": groups}
    return {}


def _scores(new: NewDecision, known: KnownItem) -> dict[int, int]:
    """Check that joined categories keep their order, begin at 0, leave no gap, and are fewer than before."""
    wanted = list(range(known.max_score + 1))
    scores = {int(old): int(score) for old, score in new.scores.items()}
    values = [scores.get(old) for old in wanted]
    steps_up = [
        later is not None and earlier is not None and later - earlier in (0, 1)
        for earlier, later in itertools.pairwise(values)
    ]
    is_order = values[0] == 0 and all(steps_up) and set(scores) == set(wanted)
    if not is_order or not 1 <= (values[-1] or 0) < known.max_score:
        raise DecisionRefused(
            _(
                "Categories are joined with their neighbors: new scores begin at 0, rise by one, and are fewer than before."
            ),
            hint=_("The item scores 0 to %(most)d; for example, 0 and 1 become 0, 2 becomes 1.")
            % {"most": known.max_score}
            if known.max_score > 1
            else _("The item has two categories; there is nothing to join."),
        )
    return scores


def _refuse_contradictions(study: ScalingStudy, new: NewDecision, groups: Sequence[str]) -> None:
    """Refuse a decision beside which another one of the item cannot hold."""
    against = _against(list(queries.holding(study).filter(item=new.item)), new, groups)
    if against is not None:
        raise Conflict(
            _("The item %(item)s already has the decision “%(kind)s”.")
            % {"item": new.item, "kind": against.get_kind_display()},
            hint=_("Withdraw it first; the history keeps both."),
        )


def _against(present: Sequence[ItemDecision], new: NewDecision, groups: Sequence[str]) -> ItemDecision | None:
    """Find a decision that cannot hold beside a new one.

    Sets of groups with own parameters go together as long as no group is in two and one group is in none.
    """
    freed: set[str] = set()
    for one in present:
        if one.kind in ALONE or new.kind in ALONE:
            return one
        if one.kind == new.kind == KIND.FREE:
            own = set(one.details.get("groups", ()))
            freed |= own
            if own & set(new.groups) or freed | set(new.groups) >= set(groups):
                return one
        elif one.kind == new.kind:
            return one
    return None


@transaction.atomic
def take_proposals(*, study: ScalingStudy, run: ScalingRun, reason: str, by: Any | None) -> int:
    """Take what the release rule of a run proposes as decisions, all under one reason; give their number.

    What stands against a decision that holds is left as it is. Groups that a proposal names together share one set.

    Raises
    ------
    DecisionRefused
        If the reason is missing, or the run proposes nothing.
    """
    if by is not None:
        demand(by, "run_analysis")
    path, manifests = queries.store_path(study), queries.manifests_of(run)
    groups = board.groups_of(path, manifests)
    n = 0
    for item, own in board.proposals_of(path, manifests):
        new = NewDecision(item=item, kind=KIND.FREE, reason=reason, groups=own)
        present = list(queries.holding(study).filter(item=item))
        if not own or len(own) >= len(groups) or _against(present, new, groups):
            continue
        take_decision(
            study=study, new=new, known=KnownItem(item=item, max_score=1, groups=groups), run=run, by=by
        )
        n += 1
    if not n:
        raise DecisionRefused(
            _("The release rule proposes nothing that is not decided already."),
            hint=_("Look at the items one by one."),
        )
    return n


@transaction.atomic
def withdraw_decision(*, decision: ItemDecision, by: Any | None) -> ItemDecision:
    """Withdraw a decision; runs that were made with it keep it.

    Raises
    ------
    Conflict
        If it is withdrawn already.
    """
    if by is not None:
        demand(by, "run_analysis")
    held = ItemDecision.objects.select_for_update(of=("self",)).select_related("study").get(pk=decision.pk)
    if held.withdrawn_at is not None:
        raise Conflict(_("This decision is withdrawn already."), hint=_("Take a new one if it is needed."))
    held.withdrawn_at, held.withdrawn_by = clock.now(), by
    held.save(update_fields=["withdrawn_at", "withdrawn_by"])
    record(
        action="scaling.decision_withdrawn",
        actor=by,
        obj=held.study,
        before={"item": held.item, "kind": held.kind, "details": held.details},
    )
    return held
