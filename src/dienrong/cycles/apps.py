"""The cycles room as a Django application."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CyclesConfig(AppConfig):
    """Programmes, cycles and their 14 steps."""

    name = "dienrong.cycles"
    label = "cycles"
    verbose_name = _("Cycles")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the shell with the steps of the cycle, and the board with the steps that wait for a person."""
        from dienrong.core import recording, shell
        from dienrong.cycles import board, cards, words
        from dienrong.cycles import shell as parts

        recording.name_actions(words.ACTIONS)
        board.register_cards(cards.cards)
        shell.register_rail(parts.rail)
        shell.register_links(parts.links)
        shell.register_cycle(parts.cycle_name)
