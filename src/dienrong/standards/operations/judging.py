"""What panelists say: drafts saved number by number, submitted, taken back; paper forms typed in by the facilitator."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.core.typed_numbers import plain_number
from dienrong.standards import queries
from dienrong.standards.models import CutLevel, Entry, JudgingRound, Judgment, Panelist, StandardSetting
from dienrong.standards.operations.panel import demand_open_link
from dienrong.standards.operations.refusals import NotNow, StandardRefusal, locked, note

Place = tuple[str, str]


@transaction.atomic
def save_judgments(*, panelist: Panelist, typed: Mapping[Place, str], by: Any | None) -> int:
    """Save some numbers of a panelist's draft as they were typed; an empty text takes a number back.

    Parameters
    ----------
    panelist : Panelist
        Whose draft.
    typed : mapping of (str, str) to str
        Text by level code and item (empty for a bookmark).
    by : User or None
        The facilitator who types a paper form in; None where the panelist does it.

    Returns
    -------
    int
        Numbers of the draft now.

    Raises
    ------
    NotAllowed
        If a facilitator may not lead sessions.
    LinkClosed
        If the panelist's link is closed.
    NotNow
        If no round is open, or the entry is submitted.
    StandardRefusal
        If a level or item is unknown, or a number does not fit; nothing is saved then.
    """
    judging_round = _open_round(panelist, by)
    setting = judging_round.setting
    values = _read(setting, typed)
    entry, _made = Entry.objects.select_for_update().get_or_create(
        judging_round=judging_round, panelist=panelist
    )
    if entry.submitted_at is not None:
        raise NotNow(
            _("This form is submitted already."), hint=_("Take it back first; then it can be changed.")
        )
    levels = {level.code: level for level in queries.levels_of(setting)}
    for (level, item), value in values.items():
        place = {"entry": entry, "level": levels[level], "item": item}
        if value is None:
            Judgment.objects.filter(**place).delete()
        else:
            Judgment.objects.update_or_create(**place, defaults={"value": value})
    entry.save(update_fields=["updated_at"])
    return entry.judgments.count()


def _open_round(panelist: Panelist, by: Any | None) -> JudgingRound:
    """Give the round that is open for this panelist; refuse strangers, closed links, closed rounds."""
    if by is not None:
        demand(by, "manage_standards")
    else:
        demand_open_link(panelist)
    judging_round = (
        JudgingRound.objects.select_related("setting__cycle")
        .filter(setting=panelist.setting_id, closed_at__isnull=True)
        .first()
    )
    if judging_round is None:
        raise NotNow(_("No round is open."), hint=_("The facilitator opens the next one."))
    return judging_round


def _read(setting: StandardSetting, typed: Mapping[Place, str]) -> dict[Place, float | None]:
    """Read the numbers; refuse the first that does not fit, with where it stands."""
    names = {level.code: level.name for level in queries.levels_of(setting)}
    most = {} if setting.is_bookmark else {one.item: one.max_score for one in queries.items_of(setting)}
    n_pages = len(queries.booklet_of(setting)) if setting.is_bookmark else 0
    found: dict[Place, float | None] = {}
    for (level, item), text in typed.items():
        known = item == "" if setting.is_bookmark else item in most
        if level not in names or not known:
            raise StandardRefusal(
                _("This form belongs to another session."), hint=_("Open the page again from your link.")
            )
        if not text.strip():
            found[level, item] = None
        elif setting.is_bookmark:
            found[level, item] = _page(text, n_pages, names[level])
        else:
            found[level, item] = _rating(text, most[item], item, names[level])
    return found


def _page(text: str, n_pages: int, level: str) -> float:
    """Read a page of the booklet."""
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdigit() and 1 <= int(cleaned) <= n_pages):
        raise StandardRefusal(
            _("“%(text)s” is no page of the booklet (level “%(level)s”).") % {"text": text, "level": level},
            hint=_("Write a page between 1 and %(n)s: the last one that a student just at the level masters.")
            % {"n": n_pages},
        )
    return float(int(cleaned))


def _rating(text: str, most: int, item: str, level: str) -> float:
    """Read a rating; comma and point both mark decimals."""
    try:
        value = float(plain_number(text))
    except ValueError:
        value = float("nan")
    if not 0.0 <= value <= most:
        raise StandardRefusal(
            _("“%(text)s” does not fit item %(item)s (level “%(level)s”).")
            % {"text": text, "item": item, "level": level},
            hint=_("Write a number between 0 and %(most)s, such as 0.6 for six of ten students.")
            % {"most": most},
        )
    return value


@transaction.atomic
def submit_entry(*, panelist: Panelist, by: Any | None) -> Entry:
    """Submit a panelist's form of the open round; a second submission changes nothing.

    Raises
    ------
    NotAllowed
        If a facilitator may not lead sessions.
    LinkClosed
        If the panelist's link is closed.
    NotNow
        If no round is open.
    StandardRefusal
        If numbers are missing, or a higher level stands below a lower one.
    """
    judging_round = _open_round(panelist, by)
    setting = judging_round.setting
    entry = Entry.objects.select_for_update().filter(judging_round=judging_round, panelist=panelist).first()
    if entry is not None and entry.submitted_at is not None:
        return entry
    values = queries.values_of(entry)
    _demand_complete(setting, values)
    _demand_rising(setting, values)
    entry = entry or Entry(judging_round=judging_round, panelist=panelist)
    entry.submitted_at, entry.typed_by = clock.now(), by
    entry.save()
    kind = "entry_typed_in" if by is not None else "entry_submitted"
    sums = {level.code: _sum(values, level.code) for level in queries.levels_of(setting)}
    note(setting, kind, by, panelist=panelist, round=judging_round.number, n=len(values), sums=sums)
    return entry


def _sum(values: Mapping[Place, float], level: str) -> float:
    """Add the numbers of a level; for one bookmark, its page."""
    return round(sum(value for (own, _item), value in values.items() if own == level), 6)


def missing_places(setting: StandardSetting, values: Mapping[Place, float]) -> list[tuple[CutLevel, str]]:
    """List what a form still lacks: level and item (empty for a bookmark)."""
    items = [""] if setting.is_bookmark else [one.item for one in queries.items_of(setting)]
    levels = queries.levels_of(setting)
    return [(level, item) for item in items for level in levels if (level.code, item) not in values]


def _demand_complete(setting: StandardSetting, values: Mapping[Place, float]) -> None:
    """Refuse a form with gaps; the first is named."""
    missing = missing_places(setting, values)
    if not missing:
        return
    level, item = missing[0]
    place = _("item %(item)s, level “%(level)s”") if item else _("level “%(level)s”")
    raise StandardRefusal(
        _("%(n)s numbers are missing, the first: %(place)s.")
        % {"n": len(missing), "place": place % {"item": item, "level": level.name}},
        hint=_("A sum over fewer items would be a lower cut for no reason; please fill in all."),
    )


def _demand_rising(setting: StandardSetting, values: Mapping[Place, float]) -> None:
    """Refuse a higher level that stands below a lower one (or, for bookmarks, on the same page)."""
    levels = queries.levels_of(setting)
    items = [""] if setting.is_bookmark else [one.item for one in queries.items_of(setting)]
    for item in items:
        for lower, higher in pairwise(levels):
            low, high = values[lower.code, item], values[higher.code, item]
            if setting.is_bookmark and high <= low:
                raise StandardRefusal(
                    _(
                        "The bookmark of “%(higher)s” (page %(high)s) must stand behind that of “%(lower)s” (page %(low)s)."
                    )
                    % {"higher": higher.name, "lower": lower.name, "high": int(high), "low": int(low)},
                    hint=_("A higher level begins on a later page."),
                )
            if not setting.is_bookmark and high < low:
                raise StandardRefusal(
                    _("Item %(item)s: “%(higher)s” (%(high)s) stands below “%(lower)s” (%(low)s).")
                    % {
                        "item": item,
                        "higher": higher.name,
                        "lower": lower.name,
                        "high": number_text(high, 2),
                        "low": number_text(low, 2),
                    },
                    hint=_("A student of a higher level solves an item at least as often."),
                )


@transaction.atomic
def take_back_entry(*, panelist: Panelist, by: Any | None) -> None:
    """Take a submitted form back while its round is open; it becomes a draft again.

    Raises
    ------
    NotAllowed
        If a facilitator may not lead sessions.
    LinkClosed
        If the panelist's link is closed.
    NotNow
        If no round is open.
    """
    judging_round = _open_round(panelist, by)
    entry = Entry.objects.select_for_update().filter(judging_round=judging_round, panelist=panelist).first()
    if entry is None or entry.submitted_at is None:
        return
    entry.submitted_at, entry.typed_by = None, None
    entry.save(update_fields=["submitted_at", "typed_by"])
    note(judging_round.setting, "entry_taken_back", by, panelist=panelist, round=judging_round.number)


@transaction.atomic
def type_entry(*, panelist: Panelist, typed: Mapping[Place, str], by: Any) -> Entry:
    """Type a paper form in and submit it; the audit log says who typed it.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If no round is open, or the form is submitted already.
    StandardRefusal
        If a number is missing or does not fit.
    """
    demand(by, "manage_standards")
    locked(panelist.setting_id)
    save_judgments(panelist=panelist, typed=typed, by=by)
    return submit_entry(panelist=panelist, by=by)
