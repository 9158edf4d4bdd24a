"""Sessions: opened on a finished run, described, withdrawn."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.cycles.models import Cycle
from dienrong.standards import numeric, queries, sources
from dienrong.standards.models import CutLevel, ItemNote, StandardSetting
from dienrong.standards.operations.refusals import (
    NotNow,
    StandardRefusal,
    demand_state,
    demand_text,
    locked,
    note,
)

State = StandardSetting.State
MOST_LEVELS = 6
FEWEST_POINTS = 5
FROZEN = tuple(one.name for one in fields(numeric.Opened) if one.name not in ("of_groups", "labels"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelText:
    """Names of a level and what a student just at it can do."""

    name_vi: str
    name_en: str = ""
    description_vi: str = ""
    description_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What a session is when it is opened; ``choice`` is the key of a source."""

    title: str
    choice: str
    method: str
    levels: tuple[LevelText, ...]
    links_end_on: datetime.date
    probability: str = StandardSetting.Probability.RP67
    n_panels: int = 1
    left_out: tuple[str, ...] = ()


@transaction.atomic
def open_session(*, cycle: Cycle, new: NewSession, by: Any) -> StandardSetting:
    """Open a session on a finished run; what it rests on is frozen by its hashes.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    StandardRefusal
        If title, levels or last day do not fit, the source is unknown or damaged, or an item has no place in the
        booklet at the response probability.
    """
    demand(by, "manage_standards")
    Cycle.objects.select_for_update().get(pk=cycle.pk)
    title = demand_text(new.title, _("Give the session a title."), 160)
    if new.method not in StandardSetting.Method.values or new.n_panels not in (1, 2):
        raise StandardRefusal(_("Choose a method, and one or two panels."))
    levels = _checked_levels(new.levels)
    if new.links_end_on < clock.today():
        raise StandardRefusal(
            _("The last day of the links lies in the past."), hint=_("Choose the day after the last meeting.")
        )
    chosen = sources.choice(cycle, by, new.choice)
    if chosen is None:
        raise StandardRefusal(
            _("This source is not among the finished runs of the cycle."),
            hint=_("Open the page again and choose one of the list."),
        )
    opened = _opened(cycle, chosen)
    last = StandardSetting.objects.filter(cycle=cycle).aggregate(last=Max("number"))["last"] or 0
    setting = StandardSetting(
        cycle=cycle,
        number=last + 1,
        title=title,
        grade=chosen.grade,
        subject=chosen.subject,
        method=new.method,
        probability=new.probability,
        n_panels=new.n_panels,
        source=chosen.source,
        source_number=chosen.number,
        source_title=chosen.title,
        left_out=[*dict.fromkeys((*new.left_out, *opened.of_groups))],
        links_end_at=_end_of(new.links_end_on),
        opened_by=by,
        **{name: getattr(opened, name) for name in FROZEN},
    )
    _demand_items(setting)
    setting.save()
    CutLevel.objects.bulk_create(
        CutLevel(
            setting=setting,
            position=position,
            name_vi=level.name_vi,
            name_en=level.name_en,
            description_vi=level.description_vi,
            description_en=level.description_en,
        )
        for position, level in enumerate(levels, start=1)
    )
    ItemNote.objects.bulk_create(
        ItemNote(setting=setting, item=item, text=clean_text(text)[:300])
        for item, text in opened.labels
        if item not in setting.left_out
    )
    note(
        setting,
        "opened",
        by,
        method=setting.method,
        source=chosen.key,
        items=setting.items_hash,
        levels=[level.name_vi for level in levels],
        left_out=setting.left_out,
    )
    return setting


def _checked_levels(levels: Sequence[LevelText]) -> list[LevelText]:
    """Clean the texts of the levels; refuse none, too many or two of one name."""
    cleaned = [
        LevelText(
            name_vi=clean_text(one.name_vi)[:80],
            name_en=clean_text(one.name_en)[:80],
            description_vi=clean_text(one.description_vi)[:1000],
            description_en=clean_text(one.description_en)[:1000],
        )
        for one in levels
    ]
    if not 1 <= len(cleaned) <= MOST_LEVELS or any(not one.name_vi for one in cleaned):
        raise StandardRefusal(
            _("A session sets one to %(most)s cuts, each for a level with a name.") % {"most": MOST_LEVELS},
            hint=_(
                "Name the levels from the lowest; students below the first cut need no level of their own."
            ),
        )
    if len({one.name_vi.casefold() for one in cleaned}) < len(cleaned):
        raise StandardRefusal(_("Two levels have the same name."), hint=_("Give each its own."))
    return cleaned


def _end_of(day: datetime.date) -> datetime.datetime:
    """Give the end of a day in the time zone of the pages."""
    after = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time())
    return timezone.make_aware(after)


def _opened(cycle: Cycle, chosen: sources.Choice) -> numeric.Opened:
    """Read the source; a damaged one is refused."""
    try:
        return sources.opened(cycle, chosen)
    except numeric.LsakitError as refusal:
        raise StandardRefusal(
            _("The results of this run cannot be read: %(why)s") % {"why": str(refusal)},
            hint=_("Check the files of the run, or run it again."),
        ) from refusal


def _demand_items(setting: StandardSetting) -> None:
    """Refuse items that a panel cannot judge: unknown ones left out, ones without a place in the booklet."""
    try:
        points = queries.booklet_of(setting)
    except numeric.LsakitError as refusal:
        where = ", ".join(str(one) for one in refusal.where[:5])
        raise StandardRefusal(
            _("The ordered item booklet cannot be made from these items: %(where)s.")
            % {"where": where or "–"},
            hint=_(
                "Check the codes of the items to leave out; leave out items that never reach the probability."
            ),
        ) from refusal
    if len(points) < FEWEST_POINTS:
        raise StandardRefusal(
            _("Only %(n)s score points are left; a panel needs %(least)s at least.")
            % {"n": len(points), "least": FEWEST_POINTS},
            hint=_("Leave fewer items out."),
        )


@transaction.atomic
def describe_items(*, setting: StandardSetting, texts: Mapping[str, str], by: Any) -> int:
    """Write what each item asks; texts of items that are not judged are refused. Gives how many have a text.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If the session is over.
    StandardRefusal
        If an item is unknown.
    """
    demand(by, "manage_standards")
    setting = locked(setting.pk)
    demand_state(setting, set(State) - {State.ADOPTED, State.WITHDRAWN})
    known = {one.item for one in queries.items_of(setting)}
    strange = [item for item in texts if item not in known]
    if strange:
        raise StandardRefusal(
            _("%(n)s codes belong to no item of this session, the first: %(item)s.")
            % {"n": len(strange), "item": strange[0]},
            hint=_("Copy the codes from the booklet (Excel)."),
        )
    kept = {item: clean_text(text)[:300] for item, text in texts.items() if clean_text(text)}
    setting.notes.all().delete()
    ItemNote.objects.bulk_create(
        ItemNote(setting=setting, item=item, text=text) for item, text in kept.items()
    )
    note(setting, "items_described", by, n=len(kept))
    return len(kept)


@transaction.atomic
def withdraw_session(*, setting: StandardSetting, reason: str, by: Any) -> None:
    """Withdraw a session with a reason; cuts that were adopted hold no more.

    Raises
    ------
    NotAllowed
        If the person may not adopt cuts.
    NotNow
        If it was withdrawn before.
    StandardRefusal
        If no reason is given.
    """
    demand(by, "run_analysis")
    setting = locked(setting.pk)
    if setting.state == State.WITHDRAWN:
        raise NotNow(_("This session was withdrawn before."))
    text = demand_text(reason, _("Write why the session is withdrawn."))
    before = setting.state
    setting.rounds.filter(closed_at__isnull=True).update(closed_at=clock.now())
    setting.state, setting.reason, setting.withdrawn_at = State.WITHDRAWN, text, clock.now()
    setting.save()
    note(setting, "withdrawn", by, reason=text, was=before)
