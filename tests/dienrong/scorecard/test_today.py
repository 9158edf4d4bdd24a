"""The Today page says first which schools wait for a confirmation of their data."""

from __future__ import annotations

import pytest

from dienrong.cycles import cards
from dienrong.registry.models import School
from dienrong.scorecard import operations

from .conftest import HOA_BINH, NGUYEN_TRAI

pytestmark = pytest.mark.django_db


def first(user) -> str:
    found = list(cards._data_card(user))
    return found[0].title if found else ""


def test_who_is_told_of_schools_that_wait(
    good, ministry, officer, commune_officer, coordinator, stranger, researcher, newcomer
) -> None:
    School.objects.filter(school_id__in=(HOA_BINH, NGUYEN_TRAI)).update(confirmed_at=None)
    operations.check_nation()
    assert first(commune_officer) == first(officer) == "Còn 2 trường chưa xác nhận dữ liệu"
    assert first(coordinator) == "Trường chưa xác nhận dữ liệu"
    assert [first(person) for person in (ministry, stranger, researcher, newcomer)] == [""] * 4


def test_the_card_stands_first_and_its_count_takes_one_query(
    good, commune_officer, django_assert_num_queries
) -> None:
    from dienrong.accounts.permissions import scope_of

    School.objects.filter(school_id=HOA_BINH).update(confirmed_at=None)
    operations.check_nation()
    scope_of(commune_officer)
    with django_assert_num_queries(1):
        (card,) = cards._data_card(commune_officer)
    assert (card.order, card.number, card.url) == (5, "1", "/chat-luong-du-lieu")
