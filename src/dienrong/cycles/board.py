"""What other rooms put on the board: cards for today, and main results.

The board belongs to this room, the runs and reports to higher ones. They register providers when they start::

    board.register_cards(provider)       # (user, cycle) -> iterable of Card
    board.register_headlines(provider)   # (user, cycle) -> Headlines | None
    board.register_reports(provider)     # () -> list of Card: what the public may read
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

MOST_CARDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One thing to do or to read: a number, a title, a deadline, one button."""

    title: str
    url: str = ""
    button: str = ""
    number: str = ""
    text: str = ""
    deadline: date | None = None
    order: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Headlines:
    """The main results of a cycle, and where the whole report stands."""

    rows: tuple[Any, ...]
    report_url: str


CardsProvider = Callable[[Any, Any], Iterable[Card]]
HeadlinesProvider = Callable[[Any, Any], Headlines | None]
ReportsProvider = Callable[[], Iterable[Card]]

_cards: list[CardsProvider] = []
_headlines: list[HeadlinesProvider] = []
_reports: list[ReportsProvider] = []


def register_cards(provider: CardsProvider) -> None:
    """Add a provider of cards, once."""
    if provider not in _cards:
        _cards.append(provider)


def register_headlines(provider: HeadlinesProvider) -> None:
    """Add a provider of main results, once."""
    if provider not in _headlines:
        _headlines.append(provider)


def register_reports(provider: ReportsProvider) -> None:
    """Add a provider of public reports, once."""
    if provider not in _reports:
        _reports.append(provider)


def cards_for(user: Any, cycle: Any) -> list[Card]:
    """Give the cards of a person, the most urgent first, at most five."""
    found = [card for provider in _cards for card in provider(user, cycle)]
    return sorted(found, key=lambda card: (card.order, card.deadline or date.max))[:MOST_CARDS]


def headlines_for(user: Any, cycle: Any) -> Headlines | None:
    """Give the main results that a person may see."""
    return next((answer for provider in _headlines if (answer := provider(user, cycle))), None)


def public_reports() -> list[Card]:
    """List what everyone may read."""
    return [card for provider in _reports for card in provider()]
