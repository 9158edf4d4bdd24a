"""The API against its own description: whatever is sent, the answer is one that the description names."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dienrong.api.specification import specification
from dienrong.options import Options
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
def token(db, registry, machine, ministry, settings) -> str:
    """Give a token of the ministry, for which everything is open, and no limit in the way."""
    settings.OPTIONS = Options(data_dir=settings.DATA_DIR, api_rate=100_000)
    return machine(ministry).token


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case, token) -> None:
    response = case.call(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
    case.validate_response(response, checks=CHECKS)
