"""Panelists of a standard-setting session as tests play them: coming in, placing bookmarks, rating."""

from __future__ import annotations

from django.test import Client

from dienrong.standards import links, operations, queries
from dienrong.standards.models import Panelist


def code_of(panelist: Panelist) -> str:
    """Give the code of a panelist's link."""
    panelist.refresh_from_db()
    return links.link_code(panelist.pk, panelist.link_version)


def pin_of(panelist: Panelist) -> str:
    """Give the PIN of a panelist."""
    panelist.refresh_from_db()
    return links.read_pin(panelist.sealed_pin)


def come_in(panelist: Panelist, client: Client | None = None) -> Client:
    """Open a panelist's form in a browser in which nobody is signed in."""
    client = client or Client()
    answer = client.post(f"/dat-chuan/phieu/{code_of(panelist)}", {"pin": pin_of(panelist)})
    assert answer.status_code == 302, answer.content.decode()[:500]
    return client


def say(panelist: Panelist, *pages: int) -> None:
    """Place a panelist's bookmarks and submit."""
    typed = {(f"level_{place}", ""): str(page) for place, page in enumerate(pages, start=1)}
    operations.save_judgments(panelist=panelist, typed=typed, by=None)
    operations.submit_entry(panelist=panelist, by=None)


def rate(panelist: Panelist, *shares: float) -> None:
    """Rate every item with a share of its highest score a level, and submit."""
    typed = {
        (f"level_{place}", one.item): f"{share * one.max_score:.2f}".replace(".", ",")
        for place, share in enumerate(shares, start=1)
        for one in queries.items_of(panelist.setting)
    }
    operations.save_judgments(panelist=panelist, typed=typed, by=None)
    operations.submit_entry(panelist=panelist, by=None)
