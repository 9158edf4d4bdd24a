"""A small nation, and tokens of people who may and may not see its schools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from dienrong.accounts import operations
from small_cycle import registry

__all__ = ["registry"]

Answer = Any


class Machine:
    """A client that sends a token with every request and reads JSON."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.client = Client()

    def get(self, address: str, query: dict[str, Any] | None = None, **headers: str) -> Answer:
        return self.client.get(
            f"/api/v1{address}", query or {}, headers={"Authorization": f"Bearer {self.token}", **headers}
        )

    def post(self, address: str, body: Any = None, **headers: str) -> Answer:
        return self.client.post(
            f"/api/v1{address}",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )

    def walk(self, address: str, query: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Follow the pages of a list to its end."""
        rows: list[dict[str, Any]] = []
        answer = self.get(address, query)
        while True:
            assert answer.status_code == 200, answer.content
            page = answer.json()
            rows += page["items"]
            if page["next"] is None:
                return rows
            following = page["next"].partition("/api/v1")[2]
            answer = self.get(following)


@pytest.fixture
def machine() -> Callable[..., Machine]:
    """Give a client with a fresh token of a person."""

    def make(user: Any, unit_kind: str = "", unit_code: str = "") -> Machine:
        _token, raw = operations.make_api_token(
            user=user, name="Máy chủ của Sở", days=90, unit_kind=unit_kind, unit_code=unit_code
        )
        return Machine(raw)

    return make
