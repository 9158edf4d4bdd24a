"""Rounds open and close; cuts are computed, frozen with what they rest on, and adopted by a person with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.standards import numeric, queries
from dienrong.standards.models import CutLevel, Entry, JudgingRound, Judgment, Panelist, StandardSetting
from dienrong.standards.operations.refusals import (
    NotNow,
    StandardRefusal,
    demand_state,
    demand_text,
    locked,
    note,
)

State = StandardSetting.State
RESULT_SCHEMA = "dienrong.standards.round/1"


@transaction.atomic
def open_round(*, setting: StandardSetting, by: Any) -> JudgingRound:
    """Open the first or the next round, with what each panelist submitted last as a draft; cuts computed are dropped.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If a round is open, or the session is over.
    StandardRefusal
        If a panel has fewer than two panelists.
    """
    demand(by, "manage_standards")
    setting = locked(setting.pk)
    demand_state(setting, (State.PREPARATION, State.DISCUSSION, State.FINAL))
    for panel in range(1, setting.n_panels + 1):
        n = setting.panelists.filter(panel=panel, revoked_at__isnull=True).count()
        if n < queries.FEWEST_JUDGES:
            raise StandardRefusal(
                _("Panel %(panel)s has %(n)s panelists; two at least are needed.") % {"panel": panel, "n": n},
                hint=_("Their spread is the error of the cut. Add panelists first; ten or more are advised."),
            )
    number = setting.rounds.count() + 1
    judging_round = JudgingRound.objects.create(setting=setting, number=number, opened_at=clock.now())
    _carry_over(setting, judging_round)
    _clear_cuts(setting)
    setting.state = State.OPEN
    setting.save()
    note(setting, "round_opened", by, round=number)
    return judging_round


def _carry_over(setting: StandardSetting, judging_round: JudgingRound) -> None:
    """Give each panelist the own form of the round before as a draft: a second round revises the first."""
    former = Entry.objects.filter(
        judging_round__setting=setting,
        judging_round__number=judging_round.number - 1,
        submitted_at__isnull=False,
    )
    for entry in former.prefetch_related("judgments"):
        draft = Entry.objects.create(judging_round=judging_round, panelist_id=entry.panelist_id)
        Judgment.objects.bulk_create(
            Judgment(entry=draft, level_id=one.level_id, item=one.item, value=one.value)
            for one in entry.judgments.all()
        )


def _clear_cuts(setting: StandardSetting) -> None:
    """Drop computed cuts: another round will give others."""
    setting.manifest_id, setting.result = "", {}
    setting.levels.update(theta=None, se_theta=None, scale=None, se_scale=None)


@transaction.atomic
def close_round(*, setting: StandardSetting, leave_out: bool, remark: str = "", by: Any) -> JudgingRound:
    """Close the open round and keep what came of it, for the panel's discussion.

    Parameters
    ----------
    setting : StandardSetting
        The session.
    leave_out : bool
        Whether panelists who have not submitted are left out of the round.
    remark : str
        What the facilitator notes about the discussion.
    by : User
        Who closes it.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If no round is open.
    StandardRefusal
        If panelists have not submitted and are not to be left out, or a panel has fewer than two forms.
    """
    demand(by, "manage_standards")
    setting = locked(setting.pk)
    demand_state(setting, (State.OPEN,))
    judging_round = JudgingRound.objects.select_for_update().get(setting=setting, closed_at__isnull=True)
    waiting = _waiting(setting, judging_round)
    if waiting and not leave_out:
        raise StandardRefusal(
            _("%(n)s panelists have not submitted: %(names)s.")
            % {"n": len(waiting), "names": ", ".join(one.full_name for one in waiting[:5])},
            hint=_("Wait for them, type their paper forms in, or say that they are left out of this round."),
        )
    _demand_forms(setting, judging_round)
    judging_round.result = _result_of(setting, judging_round)
    judging_round.closed_at, judging_round.note = clock.now(), clean_text(remark)[:500]
    judging_round.save()
    setting.state = State.DISCUSSION
    setting.save(update_fields=["state"])
    note(
        setting,
        "round_closed",
        by,
        round=judging_round.number,
        left_out=[one.code for one in waiting],
        cuts=[[one["level"], one["cut"], one["se"]] for one in judging_round.result["parts"]["all"]["cuts"]],
    )
    return judging_round


def _waiting(setting: StandardSetting, judging_round: JudgingRound) -> list[Panelist]:
    """List who has not submitted in a round; whose link is revoked is not waited for."""
    submitted = Entry.objects.filter(judging_round=judging_round, submitted_at__isnull=False)
    return list(
        setting.panelists.filter(revoked_at__isnull=True).exclude(pk__in=submitted.values("panelist"))
    )


def _demand_forms(setting: StandardSetting, judging_round: JudgingRound) -> None:
    """Refuse a round in which a panel has fewer than two forms."""
    for panel in range(1, setting.n_panels + 1):
        n = judging_round.entries.filter(submitted_at__isnull=False, panelist__panel=panel).count()
        if n < queries.FEWEST_JUDGES:
            raise StandardRefusal(
                _("Panel %(panel)s has %(n)s submitted forms; two at least are needed.")
                % {"panel": panel, "n": n},
                hint=_("Their spread is the error of the cut."),
            )


def _result_of(setting: StandardSetting, judging_round: JudgingRound) -> dict[str, Any]:
    """Summarize a round for all panelists together and for each panel by itself."""
    basis, rules = queries.basis_of(setting), queries.rules_of(setting)
    said = queries.said_in(setting, [judging_round])
    try:
        parts = {"all": numeric.round_result(basis, rules, said)}
        for panel in range(1, setting.n_panels + 1):
            own = [one for one in said if one.panel == f"panel_{panel}"]
            is_all = setting.n_panels == 1
            parts[str(panel)] = parts["all"] if is_all else numeric.round_result(basis, rules, own)
    except numeric.LsakitError as refusal:
        raise _unreadable(refusal) from refusal
    return {"schema": RESULT_SCHEMA, "parts": parts}


def _unreadable(refusal: Exception) -> StandardRefusal:
    """Say that what the session rests on cannot be read."""
    return StandardRefusal(
        _("The results on which the session rests cannot be used: %(why)s") % {"why": str(refusal)},
        hint=_("Check the files of the run; a changed file is restored from the backup."),
    )


@transaction.atomic
def compute_cuts(*, setting: StandardSetting, by: Any) -> StandardSetting:
    """Compute the cuts of the last round; entries and results are frozen as artefacts with a manifest.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If the last round is not closed.
    StandardRefusal
        If the cuts do not rise with the levels, are equal or lie outside the test.
    """
    demand(by, "manage_standards")
    setting = locked(setting.pk)
    demand_state(setting, (State.DISCUSSION,))
    said = queries.said_in(setting, queries.rounds_of(setting))
    try:
        frozen = numeric.freeze(
            queries.basis_of(setting), queries.rules_of(setting), said, now=clock.now(), who=by.username
        )
    except numeric.CutRefused as refusal:
        raise _cuts_refused(setting, refusal) from refusal
    except numeric.LsakitError as refusal:
        raise _unreadable(refusal) from refusal
    by_code = {level.code: level for level in queries.levels_of(setting)}
    for row in frozen.cuts:
        level = by_code[row["level"]]
        level.theta, level.se_theta = row["theta"], row["se_theta"]
        level.scale, level.se_scale = row["scale"], row["se_scale"]
    CutLevel.objects.bulk_update(by_code.values(), ["theta", "se_theta", "scale", "se_scale"])
    setting.state, setting.manifest_id, setting.result = State.FINAL, frozen.manifest_id, frozen.tables
    setting.save()
    cuts = [[row["level"], row["scale"], row["se_scale"]] for row in frozen.cuts]
    note(setting, "cuts_computed", by, manifest=frozen.manifest_id, cuts=cuts)
    return setting


def _cuts_refused(setting: StandardSetting, refusal: numeric.CutRefused) -> StandardRefusal:
    """Say in the reader's language why cuts cannot be set."""
    names = {level.code: level.name for level in queries.levels_of(setting)}
    last = queries.last_closed(setting)
    refused = last.result["parts"]["all"]["refused"] if last is not None else {}
    named = ", ".join(names.get(one, one) for one in (*refusal.where[:5], *refused))
    sentences = {
        "not_rising": _("The cuts do not rise with the levels: %(where)s."),
        "same_cut": _("Two levels have the same cut: %(where)s."),
        "outside": _("A cut lies outside what the test can tell: %(where)s."),
        "crossed": _("Panelists placed a higher level before a lower one: %(where)s."),
    }
    sentence = sentences.get(refusal.reason, _("The cuts cannot be set: %(where)s."))
    return StandardRefusal(
        sentence % {"where": named or refusal.sentence},
        hint=_("Talk about these levels and open another round."),
    )


@transaction.atomic
def adopt_cuts(*, setting: StandardSetting, reason: str, by: Any) -> StandardSetting:
    """Adopt the computed cuts with a reason; from then on reports and later scaling runs find them.

    Raises
    ------
    NotAllowed
        If the person may not run analyses.
    NotNow
        If no cuts are computed, or other cuts of this grade and subject are adopted.
    StandardRefusal
        If no reason is given.
    """
    demand(by, "run_analysis")
    setting = locked(setting.pk)
    demand_state(setting, (State.FINAL,))
    text = demand_text(reason, _("Write by which decision the cuts are adopted, and why."))
    former = _adopted_before(setting)
    if former is not None:
        raise NotNow(
            _("Cuts of this grade and subject are adopted already: “%(title)s”.") % {"title": former.title},
            hint=_("Withdraw that session first, with its reason."),
        )
    setting.state, setting.reason = State.ADOPTED, text
    setting.adopted_at, setting.adopted_by = clock.now(), by
    setting.save()
    note(
        setting,
        "adopted",
        by,
        reason=text,
        manifest=setting.manifest_id,
        cuts=[[level.name_vi, level.scale, level.se_scale] for level in queries.levels_of(setting)],
    )
    return setting


def _adopted_before(setting: StandardSetting) -> StandardSetting | None:
    """Give the session whose cuts hold for this grade and subject."""
    found: Sequence[StandardSetting] = StandardSetting.objects.filter(
        cycle=setting.cycle, grade=setting.grade, subject=setting.subject, state=State.ADOPTED
    )[:1]
    return found[0] if found else None
