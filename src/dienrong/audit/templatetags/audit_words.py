"""Filters that put audit entries into words."""

from __future__ import annotations

import json
from typing import Any

from django import template

from dienrong.core.recording import action_word as words_of

register = template.Library()


@register.filter
def action_word(action: str) -> str:
    """``{{ entry.action|action_word }}`` writes what was done."""
    return words_of(action)


@register.filter
def json_text(value: Any) -> str:
    """``{{ entry.after|json_text }}`` writes the facts in one line, letters as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
