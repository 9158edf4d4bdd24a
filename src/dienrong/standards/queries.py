"""Reads of sessions, their panels and rounds; the cuts that were adopted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from dienrong.analysis import queries as analysis
from dienrong.cycles.models import Cycle
from dienrong.standards import numeric
from dienrong.standards.models import (
    CutLevel,
    Entry,
    JudgingRound,
    Judgment,
    Panelist,
    StandardSetting,
)

FEWEST_JUDGES, ADVISED_JUDGES = 2, 10


def settings_of(cycle: Cycle) -> QuerySet[StandardSetting]:
    """List the sessions of a cycle, the newest first, with counts of panelists and closed rounds."""
    return (
        StandardSetting.objects.filter(cycle=cycle)
        .select_related("opened_by", "adopted_by")
        .annotate(
            n_panelists=Count("panelists", distinct=True),
            n_rounds=Count("rounds", distinct=True),
        )
        .order_by("-created_at", "-pk")
    )


def setting_by_key(key: int) -> StandardSetting | None:
    """Give a session, whoever asks; views demand the permission."""
    found = StandardSetting.objects.select_related("cycle", "opened_by", "adopted_by")
    return found.filter(pk=key).first()


def levels_of(setting: StandardSetting) -> list[CutLevel]:
    """List the levels, the lowest first."""
    return list(setting.levels.all())


def panelists_of(setting: StandardSetting) -> list[Panelist]:
    """List the panelists, panel by panel."""
    found = list(setting.panelists.all())
    for one in found:
        one.setting = setting  # one object, so that the end of the links is not asked again
    return found


def rounds_of(setting: StandardSetting) -> list[JudgingRound]:
    """List the rounds in order."""
    return list(setting.rounds.all())


def open_round_of(setting: StandardSetting) -> JudgingRound | None:
    """Give the round that is open."""
    return setting.rounds.filter(closed_at__isnull=True).first()


def last_closed(setting: StandardSetting) -> JudgingRound | None:
    """Give the last round that is closed."""
    return setting.rounds.filter(closed_at__isnull=False).order_by("-number").first()


def basis_of(setting: StandardSetting) -> numeric.Basis:
    """Give what a session rests on, as the statistics take it."""
    return numeric.Basis(
        store_path=analysis.store_path(setting.cycle),
        items_hash=setting.items_hash,
        item_subject=setting.item_subject,
        left_out=tuple(setting.left_out),
        distribution_hash=setting.distribution_hash,
        weights_hash=setting.weights_hash,
        replicates_hash=setting.replicates_hash,
        weight_column=setting.weight_column,
        values_pattern=setting.values_pattern,
        fay_factor=setting.fay_factor,
    )


def rules_of(setting: StandardSetting) -> numeric.Rules:
    """Give the rules of a session, as the statistics take them."""
    return numeric.Rules(
        method=setting.method,
        levels=tuple(level.code for level in levels_of(setting)),
        probability=setting.response_probability,
        slope=setting.scale_slope,
        intercept=setting.scale_intercept,
    )


def booklet_of(setting: StandardSetting) -> tuple[numeric.Page, ...]:
    """Give the pages of the ordered item booklet."""
    return numeric.booklet(basis_of(setting), setting.response_probability)


def items_of(setting: StandardSetting) -> tuple[numeric.JudgedItem, ...]:
    """Give the items in the order of the test."""
    return numeric.items(basis_of(setting))


def notes_of(setting: StandardSetting) -> dict[str, str]:
    """Give what each item asks, by item."""
    return dict(setting.notes.values_list("item", "text"))


def values_of(entry: Entry | None) -> dict[tuple[str, str], float]:
    """Give the numbers of an entry by level code and item (empty for a bookmark)."""
    if entry is None:
        return {}
    rows = entry.judgments.values_list("level__position", "item", "value")
    return {(f"level_{position}", item): value for position, item, value in rows}


def entry_of(judging_round: JudgingRound, panelist: Panelist) -> Entry | None:
    """Give what a panelist said in a round."""
    return Entry.objects.filter(judging_round=judging_round, panelist=panelist).first()


def n_wanted(setting: StandardSetting) -> int:
    """Count the numbers of a complete entry."""
    n_levels = len(levels_of(setting))
    return n_levels if setting.is_bookmark else n_levels * len(items_of(setting))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a panelist is in the open round."""

    panelist: Panelist
    entry: Entry | None
    n_given: int
    n_wanted: int

    @property
    def state(self) -> str:
        """``done``, ``in_progress`` or ``not_started``."""
        if self.entry is not None and self.entry.submitted_at is not None:
            return "done"
        return "in_progress" if self.n_given else "not_started"


def progress_of(setting: StandardSetting, judging_round: JudgingRound | None) -> list[Progress]:
    """Tell how far each panelist is; without a round nobody has begun."""
    people = panelists_of(setting)
    entries: dict[int, Any] = {}
    if judging_round is not None:
        rows = judging_round.entries.annotate(n_given=Count("judgments")).select_related("typed_by")
        entries = {entry.panelist_id: entry for entry in rows}
    wanted = n_wanted(setting) if people else 0
    return [
        Progress(
            panelist=one,
            entry=entries.get(one.pk),
            n_given=getattr(entries.get(one.pk), "n_given", 0),
            n_wanted=wanted,
        )
        for one in people
    ]


def said_in(
    setting: StandardSetting, rounds: Iterable[JudgingRound], panel: int | None = None
) -> list[numeric.Said]:
    """List what was submitted in some rounds, by code; a draft that was not submitted counts for nothing."""
    rows = Judgment.objects.filter(
        entry__judging_round__in=list(rounds), entry__submitted_at__isnull=False
    ).annotate(
        seat=F("entry__panelist__panel"),
        person=F("entry__panelist__number"),
        round_number=F("entry__judging_round__number"),
        place=F("level__position"),
    )
    if panel is not None:
        rows = rows.filter(seat=panel)
    return [
        numeric.Said(
            judge=f"P{person:02d}",
            panel=f"panel_{seat}",
            round_number=number,
            level=f"level_{place}",
            item=item,
            value=value,
        )
        for person, seat, number, place, item, value in rows.values_list(
            "person", "seat", "round_number", "place", "item", "value"
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedCut:
    """A cut that was adopted: where a level begins, in logits and in points of the reporting scale."""

    position: int
    name_vi: str
    name_en: str
    theta: float
    se_theta: float
    scale: float
    se_scale: float
    manifest_id: str


def adopted_setting(cycle: Cycle, subject: str, grade: int | None = None) -> StandardSetting | None:
    """Give the session whose cuts are adopted for a subject.

    A grade narrows the answer; without one the subject must have one adopted session, else nothing is given.
    """
    found = StandardSetting.objects.filter(cycle=cycle, subject=subject, state=StandardSetting.State.ADOPTED)
    if grade is not None:
        found = found.filter(Q(grade=grade) | Q(grade=0))
    rows = list(found[:2])
    return rows[0] if len(rows) == 1 else None


def adopted_cuts(cycle: Cycle, subject: str, grade: int | None = None) -> tuple[AdoptedCut, ...]:
    """Give the adopted cuts of a subject, the lowest first; none where nothing is adopted (`adopted_setting`)."""
    setting = adopted_setting(cycle, subject, grade)
    return cuts_of(setting) if setting is not None else ()


def cuts_of(setting: StandardSetting) -> tuple[AdoptedCut, ...]:
    """Give the computed cuts of a session, the lowest first."""
    return tuple(
        AdoptedCut(
            position=level.position,
            name_vi=level.name_vi,
            name_en=level.name_en,
            theta=level.theta,
            se_theta=level.se_theta,
            scale=level.scale,
            se_scale=level.se_scale,
            manifest_id=setting.manifest_id,
        )
        for level in levels_of(setting)
        if level.theta is not None
        and level.se_theta is not None
        and level.scale is not None
        and level.se_scale is not None
    )
