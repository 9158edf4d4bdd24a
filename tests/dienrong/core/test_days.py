"""Dates as people type them."""

from __future__ import annotations

import datetime

import pytest
from django import forms

from dienrong.core.days import DayField, read_day

DAY = datetime.date(2026, 9, 5)


@pytest.mark.parametrize(
    "typed", ["05/09/2026", "5/9/2026", " 05-09-2026 ", "05.09.2026", "5/9/26", "2026-09-05"]
)
def test_the_usual_ways_of_writing_a_day_are_read(typed: str) -> None:
    assert read_day(typed) == DAY
    assert DayField().clean(typed) == DAY


@pytest.mark.parametrize("typed", ["", "31/02/2026", "09/15/2026", "hôm nay", "05/09"])
def test_what_is_no_day_is_not_guessed(typed: str) -> None:
    assert read_day(typed) is None
    with pytest.raises(forms.ValidationError):
        DayField().clean(typed)


def test_a_day_is_shown_day_first_in_every_browser() -> None:
    html = DayField().widget.render("day", DAY)
    assert 'value="05/09/2026"' in html
    assert 'type="text"' in html
