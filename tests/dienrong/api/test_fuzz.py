"""The API against its own description: whatever is sent, the answer is one that the description names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dienrong.api.endpoints import units
from dienrong.api.specification import specification
from dienrong.options import Options
from dienrong.registry import queries
from dienrong.wsgi import application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


schema = schemathesis.openapi.from_dict(specification())
schema.app = application


@pytest.fixture
def token(db, registry, machine, ministry, settings) -> Iterator[str]:
    """Give a token of the ministry, for which everything is open, and no limit in the way.

    The real application closes connections between requests; the test's own transaction needs the one it has.
    """
    settings.OPTIONS = Options(data_dir=settings.DATA_DIR, api_rate=100_000)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield machine(ministry).token
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case, token) -> None:
    response = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
    case.validate_response(response, checks=CHECKS)


@pytest.mark.parametrize("fault", [RuntimeError("broken"), ZeroDivisionError()])
def test_a_broken_endpoint_is_found(token, monkeypatch, fault) -> None:
    """Negative control: the checks above fire where an endpoint fails."""

    def broken(*_args: object) -> None:
        raise fault

    monkeypatch.setattr(queries, "versions_on", broken)
    case = schema["/api/v1/units"]["GET"].Case()
    response = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
    assert response.status_code == 500
    with pytest.raises(FailureGroup):
        case.validate_response(response, checks=CHECKS)


def test_an_answer_of_another_shape_is_found(token, monkeypatch) -> None:
    """Negative control: a field that is missing is a failure, not an answer."""
    monkeypatch.setattr(units, "_unit", lambda version: {"code": version.unit.code})
    case = schema["/api/v1/units"]["GET"].Case()
    response = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
    assert response.status_code == 500
