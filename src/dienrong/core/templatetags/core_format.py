"""Filters that write numbers and dates, and icons as inline drawings; loaded in every template."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString

from dienrong.core import formats

register = template.Library()


@register.filter
def number(value: Any, digits: int = 0) -> str:
    """``{{ value|number:1 }}`` writes 1.234,5."""
    return formats.number_text(value, int(digits))


@register.filter
def percent(share: Any, digits: int = 1) -> str:
    """``{{ share|percent:1 }}`` writes 98,7% for 0.987."""
    return formats.percent_text(share, int(digits))


@register.filter
def day(value: Any) -> str:
    """``{{ date|day }}`` writes 05/09/2026."""
    return formats.day_text(value)


@register.filter
def moment(value: Any) -> str:
    """``{{ instant|moment }}`` writes 14:30 05/09/2026."""
    return formats.moment_text(value)


@register.filter
def duration(seconds: Any) -> str:
    """``{{ seconds|duration }}`` writes 3 phút 20 giây."""
    return formats.duration_text(seconds)


@register.simple_tag
def icon(name: str) -> SafeString:
    """``{% icon "check" %}`` draws one icon of core/icons; it is decoration, hidden from screen readers."""
    return get_template(f"core/icons/{name}.svg").render()


@register.simple_tag(takes_context=True)
def address_with(context: template.Context, **changes: Any) -> str:
    """``{% address_with page=2 %}`` gives this page's query with changes; an empty value drops its name."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return "?" + query.urlencode()
