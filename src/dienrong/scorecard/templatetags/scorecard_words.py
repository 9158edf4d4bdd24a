"""Scores in templates."""

from __future__ import annotations

from django import template

from dienrong.scorecard import words

register = template.Library()


@register.filter
def score(value: float | None) -> str:
    """``{{ value|score }}`` writes 99,4; what could not be computed is said, and 100,0 is only ever 100."""
    return words.score_text(value)
