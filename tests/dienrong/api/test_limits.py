"""A token may ask so often in a minute, whichever process counts; failed tokens are counted by address."""

from __future__ import annotations

import datetime

import pytest
from django.test import Client

from dienrong.api import operations
from dienrong.api.access import FAILED_TOKENS_PER_MINUTE
from dienrong.api.models import RequestCount
from dienrong.core import clock
from dienrong.options import Options

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_a_minute(settings) -> None:
    settings.OPTIONS = Options(data_dir=settings.DATA_DIR, api_rate=3)


def test_the_headers_count_down_and_the_limit_answers_429(noon, machine, officer, three_a_minute) -> None:
    caller = machine(officer)
    with clock.fixed(noon + datetime.timedelta(seconds=20)):
        left = [caller.get("/me").headers["RateLimit-Remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = caller.get("/me")
    assert refused.status_code == 429
    assert refused.json()["code"] == "api.too_often"
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"] == "40"
    assert refused.headers["RateLimit-Limit"] == "3"
    assert refused.headers["RateLimit-Remaining"] == "0"


def test_the_next_minute_begins_anew_in_the_same_row(noon, machine, officer, three_a_minute) -> None:
    caller = machine(officer)
    for _ in range(5):
        caller.get("/me")
    with clock.fixed(noon + datetime.timedelta(seconds=60)):
        assert caller.get("/me").status_code == 200
    assert RequestCount.objects.filter(key__startswith="token:").count() == 1


def test_tokens_are_counted_apart(noon, machine, officer, colleague, three_a_minute) -> None:
    first, second = machine(officer), machine(colleague)
    for _ in range(4):
        first.get("/me")
    assert first.get("/me").status_code == 429
    assert second.get("/me").status_code == 200


def test_failed_tokens_are_counted_by_address_and_a_good_token_passes(noon, machine, officer) -> None:
    caller = machine(officer)
    guess = {"Authorization": "Bearer " + "x" * 43}
    statuses = [
        Client().get("/api/v1/me", headers=guess).status_code for _ in range(FAILED_TOKENS_PER_MINUTE + 2)
    ]
    assert statuses == [401] * FAILED_TOKENS_PER_MINUTE + [429, 429]
    assert caller.get("/me").status_code == 200, "an office shares one address"
    other = Client(REMOTE_ADDR="10.1.2.3")
    assert other.get("/api/v1/me", headers=guess).status_code == 401


def test_old_addresses_are_forgotten(noon) -> None:
    for number in range(5):
        operations.count_request(key=f"address:10.0.0.{number}", limit=3)
    with clock.fixed(noon + datetime.timedelta(hours=2)):
        operations.count_request(key="address:10.9.9.9", limit=3)
    assert list(RequestCount.objects.values_list("key", flat=True)) == ["address:10.9.9.9"]
