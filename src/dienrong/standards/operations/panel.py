"""The panel: who sits on it, the links and PINs by which they come in, and the door that checks them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts.models import FailureKind
from dienrong.accounts.operations import note_failure, refuse_if_locked
from dienrong.accounts.permissions import demand
from dienrong.core import clock, requests
from dienrong.core.formats import moment_text
from dienrong.core.text import clean_text
from dienrong.standards import links
from dienrong.standards.models import Panelist, StandardSetting
from dienrong.standards.operations.refusals import (
    LinkClosed,
    NotNow,
    StandardRefusal,
    demand_state,
    locked,
    note,
)

State = StandardSetting.State
SEATED = (State.PREPARATION, State.OPEN, State.DISCUSSION)
MOST_WRONG_PINS = 5
LOCK = datetime.timedelta(minutes=15)
MOST_PANELISTS = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is to sit on a panel."""

    full_name: str
    position: str = ""
    unit: str = ""
    panel: int = 1


@transaction.atomic
def add_panelists(*, setting: StandardSetting, people: Sequence[Person], by: Any) -> list[Panelist]:
    """Seat people on the panels; each gets a link and a PIN.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If cuts are computed already.
    StandardRefusal
        If a name is missing or stands twice, or a panel does not exist.
    """
    demand(by, "manage_standards")
    setting = locked(setting.pk)
    demand_state(setting, SEATED)
    _demand_people(setting, people)
    last = setting.panelists.aggregate(last=Max("number"))["last"] or 0
    added = []
    for number, one in enumerate(people, start=last + 1):
        panelist = Panelist.objects.create(
            setting=setting,
            number=number,
            full_name=clean_text(one.full_name)[:120],
            position=clean_text(one.position)[:120],
            unit=clean_text(one.unit)[:160],
            panel=one.panel,
            sealed_pin=links.seal_pin(links.new_pin()),
        )
        note(setting, "panelist_added", by, panelist=panelist, panel=one.panel)
        added.append(panelist)
    return added


def _demand_people(setting: StandardSetting, people: Sequence[Person]) -> None:
    """Refuse people without a name, named twice, or on a panel that does not exist."""
    if not people:
        raise StandardRefusal(_("Name one person at least."), hint=_("Write one person a line."))
    if setting.panelists.count() + len(people) > MOST_PANELISTS:
        raise StandardRefusal(_("A session holds %(most)s panelists at most.") % {"most": MOST_PANELISTS})
    seen = {
        (name.casefold(), unit.casefold())
        for name, unit in setting.panelists.values_list("full_name", "unit")
    }
    for line, one in enumerate(people, start=1):
        key = (clean_text(one.full_name).casefold(), clean_text(one.unit).casefold())
        if not key[0]:
            raise StandardRefusal(_("Line %(line)s has no name.") % {"line": line})
        if key in seen:
            raise StandardRefusal(
                _("%(name)s (line %(line)s) sits on a panel of this session already.")
                % {"name": one.full_name, "line": line},
                hint=_("Two people of one name differ by their units."),
            )
        if not 1 <= one.panel <= setting.n_panels:
            raise StandardRefusal(
                _("Line %(line)s names panel %(panel)s; the session has %(n)s.")
                % {"line": line, "panel": one.panel, "n": setting.n_panels},
            )
        seen.add(key)


@transaction.atomic
def remove_panelist(*, panelist: Panelist, by: Any) -> None:
    """Take a person off the panel who has said nothing yet.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If judgments of them are kept.
    """
    demand(by, "manage_standards")
    setting = locked(panelist.setting_id)
    demand_state(setting, SEATED)
    if panelist.entries.exists():
        raise NotNow(
            _("%(name)s has judged already; what was said stays.") % {"name": panelist.full_name},
            hint=_("Revoke the link; what is not submitted in a later round does not count there."),
        )
    note(setting, "panelist_removed", by, panelist=panelist)
    panelist.delete()


@transaction.atomic
def revoke_link(*, panelist: Panelist, by: Any) -> None:
    """Close a panelist's link at once.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    """
    demand(by, "manage_standards")
    setting = locked(panelist.setting_id)
    panelist = Panelist.objects.select_for_update().get(pk=panelist.pk)
    panelist.revoked_at = clock.now()
    panelist.save(update_fields=["revoked_at"])
    note(setting, "link_revoked", by, panelist=panelist)


@transaction.atomic
def renew_link(*, panelist: Panelist, by: Any) -> Panelist:
    """Give a panelist a new link and PIN; the old ones open nothing any more.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If the session is over.
    """
    demand(by, "manage_standards")
    setting = locked(panelist.setting_id)
    demand_state(setting, (*SEATED, State.FINAL))
    panelist = Panelist.objects.select_for_update().get(pk=panelist.pk)
    panelist.link_version += 1
    panelist.revoked_at, panelist.locked_until, panelist.n_wrong = None, None, 0
    panelist.sealed_pin = links.seal_pin(links.new_pin())
    panelist.save()
    note(setting, "link_renewed", by, panelist=panelist)
    return panelist


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What is printed for a panelist."""

    panelist: Panelist
    code: str
    pin: str


@transaction.atomic
def open_slips(*, setting: StandardSetting, by: Any, only: Panelist | None = None) -> list[Slip]:
    """Open the links and PINs of all panelists, or of one, for printing; that they were opened is audited.

    Raises
    ------
    NotAllowed
        If the person may not lead sessions.
    NotNow
        If the session is over.
    StandardRefusal
        If nobody sits on a panel.
    """
    demand(by, "manage_standards")
    setting = locked(setting.pk)
    demand_state(setting, (*SEATED, State.FINAL))
    seated = setting.panelists.filter(pk=only.pk) if only is not None else setting.panelists.all()
    people = [one for one in seated if one.revoked_at is None]
    if not people:
        raise StandardRefusal(_("Nobody sits on a panel yet."), hint=_("Add the panelists first."))
    note(setting, "slips_printed", by, panelists=[one.code for one in people])
    return [
        Slip(
            panelist=one,
            code=links.link_code(one.pk, one.link_version),
            pin=links.read_pin(one.sealed_pin),
        )
        for one in people
    ]


def panelist_of_code(code: str) -> Panelist:
    """Give the panelist of a link; wrong links are counted by address.

    Raises
    ------
    LinkClosed
        If the link opens nothing, was revoked or is past its day.
    SignInLocked
        If too many wrong links were opened from this address.
    """
    address = requests.current().address
    refuse_if_locked(username="", address=address, kind=FailureKind.LINK)
    key = links.key_of(code)
    panelist = Panelist.objects.select_related("setting__cycle").filter(pk=key).first() if key else None
    if panelist is None or not links.is_code_of(code, panelist.pk, panelist.link_version):
        note_failure(username="", address=address, kind=FailureKind.LINK)
        raise LinkClosed(
            _("This link opens nothing. Was it copied whole?"),
            hint=_("Please ask the facilitator of the session for a new slip."),
        )
    demand_open_link(panelist)
    return panelist


def demand_open_link(panelist: Panelist) -> None:
    """Refuse a link that was revoked or is past its day.

    Raises
    ------
    LinkClosed
        With whom to ask.
    """
    sentences = {
        "revoked": _("This link was revoked."),
        "expired": _("This link is past its last day."),
    }
    sentence = sentences.get(panelist.link_state)
    if sentence:
        raise LinkClosed(sentence, hint=_("Please ask the facilitator of the session for a new slip."))


def enter(*, code: str, pin: str) -> Panelist:
    """Let a panelist in who shows link and PIN; five wrong PINs close the door for a quarter of an hour.

    Raises
    ------
    LinkClosed
        If the link is closed.
    NotNow
        If the door is locked.
    StandardRefusal
        If the PIN is wrong.
    """
    panelist = panelist_of_code(code)
    if _note_pin(panelist, pin):
        return panelist
    raise StandardRefusal(
        _("This PIN is wrong."), hint=_("It stands on your slip: six digits below the link.")
    )


@transaction.atomic
def _note_pin(panelist: Panelist, pin: str) -> bool:
    """Check a PIN and count a wrong one; the count stays although the entry is refused."""
    kept = Panelist.objects.select_for_update().get(pk=panelist.pk)
    now = clock.now()
    if kept.locked_until is not None and kept.locked_until > now:
        raise NotNow(
            _("Too many wrong PINs. The link opens again at %(moment)s.")
            % {"moment": moment_text(kept.locked_until)}
        )
    if links.is_pin(pin, kept.sealed_pin):
        kept.n_wrong, kept.locked_until, kept.last_seen_at = 0, None, now
        kept.save(update_fields=["n_wrong", "locked_until", "last_seen_at"])
        note(panelist.setting, "panelist_entered", None, panelist=kept)
        return True
    kept.n_wrong += 1
    if kept.n_wrong >= MOST_WRONG_PINS:
        kept.n_wrong, kept.locked_until = 0, now + LOCK
        note(panelist.setting, "pin_locked", None, panelist=kept)
    kept.save(update_fields=["n_wrong", "locked_until"])
    return False
