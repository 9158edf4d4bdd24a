"""What core tells the other rooms."""

from __future__ import annotations

from django.dispatch import Signal

language_chosen = Signal()
"""A visitor chose a language; arguments ``request`` and ``language``."""
