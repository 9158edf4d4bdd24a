"""Filters of this room's pages."""

from __future__ import annotations

from django import template

from dienrong.core.recording import action_word

register = template.Library()


@register.filter
def what_was_done(action: str) -> str:
    """``{{ entry.action|what_was_done }}`` writes an audited action in words."""
    return action_word(action)
