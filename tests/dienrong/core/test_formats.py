"""Numbers, dates and durations in both languages."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from dienrong.core import formats


@pytest.mark.parametrize(
    ("value", "digits", "vietnamese", "english"),
    [
        (1234.5, 1, "1.234,5", "1,234.5"),
        (1234567, 0, "1.234.567", "1,234,567"),
        (0.05, 1, "0,1", "0.1"),
        (2.5, 0, "3", "3"),
        (-2.5, 0, "\u22123", "\u22123"),
        (-0.04, 1, "0,0", "0.0"),
        (Decimal("500.125"), 2, "500,13", "500.13"),
        (None, 1, "–", "–"),
        (float("nan"), 1, "–", "–"),
    ],
)
def test_numbers(value: float, digits: int, vietnamese: str, english: str) -> None:
    with translation.override("vi"):
        assert formats.number_text(value, digits) == vietnamese
    with translation.override("en"):
        assert formats.number_text(value, digits) == english


def test_percentages_are_not_bent_by_binary_fractions() -> None:
    with translation.override("vi"):
        assert formats.percent_text(0.987) == "98,7%"
        assert formats.percent_text(0.29, 0) == "29%"
        assert formats.percent_text(0.0045) == "0,5%"
        assert formats.percent_text(None) == "–"


def test_dates_and_moments_are_those_of_hanoi() -> None:
    late = datetime.datetime(2026, 9, 4, 18, 5, tzinfo=datetime.UTC)
    assert formats.moment_text(late) == "01:05 05/09/2026"
    assert formats.day_text(late) == "05/09/2026"
    assert formats.day_text(datetime.date(2026, 9, 5)) == "05/09/2026"
    assert formats.day_text(None) == formats.moment_text(None) == "–"


def test_durations_are_said_in_two_units() -> None:
    with translation.override("vi"):
        assert [formats.duration_text(seconds) for seconds in (0, 59.4, 60, 200, 3725)] == [
            "0 giây", "59 giây", "1 phút 0 giây", "3 phút 20 giây", "1 giờ 2 phút",
        ]  # fmt: skip
        assert formats.duration_text(None) == formats.duration_text(-1) == "–"
    with translation.override("en"):
        assert formats.duration_text(1) == "1 second"
        assert formats.duration_text(2) == "2 seconds"


def test_filters_stand_in_every_template_without_loading() -> None:
    template = Template("{{ n|number:2 }} {{ s|percent }} {{ d|day }} {{ t|duration }}")
    values = {"n": 1234.5, "s": 0.5, "d": datetime.date(2026, 1, 2), "t": 61}
    with translation.override("vi"):
        assert template.render(Context(values)) == "1.234,50 50,0% 02/01/2026 1 phút 1 giây"
