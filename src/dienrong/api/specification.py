"""The OpenAPI 3.1 description: what the endpoints say of themselves, with the problems and headers of all."""

from __future__ import annotations

import functools
import json
from typing import Any

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from dienrong.api.problems import CONTENT_TYPE, TITLES

PREFIX = "/api/v1"
TRANSLATED = ("summary", "description")

PROBLEM = {
    "type": "object",
    "description": gettext_noop("Why a request was refused, in the words of RFC 9457."),
    "required": ["code", "status", "title", "detail", "hint", "request_id"],
    "properties": {
        "code": {"type": "string", "description": gettext_noop("Stable name of the refusal.")},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "detail": {"type": "string", "description": gettext_noop("One sentence: what is refused and why.")},
        "hint": {"type": "string", "description": gettext_noop("The way out.")},
        "request_id": {"type": "string", "description": gettext_noop("Number to tell the administrator.")},
        "faults": {
            "type": "array",
            "description": gettext_noop("The parameters or cells that are not accepted."),
            "items": {
                "type": "object",
                "required": ["place", "name", "sentence"],
                "properties": {
                    "place": {"type": "string"},
                    "name": {"type": "string"},
                    "sentence": {"type": "string"},
                },
            },
        },
    },
}
RATE_HEADERS = {
    "RateLimit-Limit": gettext_noop("Requests per minute of this key."),
    "RateLimit-Remaining": gettext_noop("Requests left in this minute."),
    "RateLimit-Reset": gettext_noop("Seconds until the minute ends."),
}
STATUSES_OF = {
    "get": (304, 401, 403, 404, 422, 429, 503),
    "post": (400, 401, 403, 404, 409, 413, 422, 429, 503),
}


@functools.cache
def specification() -> dict[str, Any]:
    """Give the description in English, the language of the code.

    Returns
    -------
    dict
        An OpenAPI 3.1 document; not to be changed by the reader.
    """
    from dienrong.api.endpoints import api

    with translation.override("en"):
        described = _plain(api.get_openapi_schema(path_prefix=PREFIX.lstrip("/")))
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            _complete(path, method, operation)
    schemas = {**described["components"].get("schemas", {}), "Problem": PROBLEM}
    described["components"].update(
        schemas=dict(sorted(schemas.items())), responses=_answers(), headers=_headers()
    )
    described["security"] = [{"Bearer": []}]
    return described


def in_language(language: str) -> dict[str, Any]:
    """Give the description with its sentences in a language."""
    with translation.override(language):
        return _translated(specification())


def written(spec: dict[str, Any]) -> str:
    """Write a description as a file."""
    return json.dumps(spec, ensure_ascii=False, indent=2) + "\n"


def _plain(value: Any) -> Any:
    """Turn ninja's own mappings into plain ones with text keys."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add to an operation what is true of all: problems, headers, 304; drop what machines do not need."""
    for parameter in operation["parameters"]:
        parameter["schema"] = _lean(parameter["schema"])
        parameter["schema"].pop("description", None)
        parameter.pop("examples", None)
    responses = operation["responses"]
    for answer in responses.values():
        names = [*RATE_HEADERS, *(["ETag"] if method == "get" else [])]
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    statuses = [status for status in STATUSES_OF[method] if status != 404 or "{" in path]
    for status in statuses:
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{status}"})
    operation["responses"] = dict(sorted(responses.items()))


def _answers() -> dict[str, Any]:
    """Describe the answers that all operations share."""
    answers: dict[str, Any] = {
        "304": {"description": gettext_noop("Nothing changed since the ETag of If-None-Match.")}
    }
    for status in sorted({status for statuses in STATUSES_OF.values() for status in statuses} - {304}):
        answers[str(status)] = {
            "description": TITLES[status],
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status in (429, 503):
            answers[str(status)]["headers"] = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    return answers


def _headers() -> dict[str, Any]:
    """Describe the headers that answers share."""
    numbers = {**RATE_HEADERS, "Retry-After": gettext_noop("Seconds to wait.")}
    headers = {name: {"description": text, "schema": {"type": "integer"}} for name, text in numbers.items()}
    headers["ETag"] = {"description": gettext_noop("Tag for If-None-Match."), "schema": {"type": "string"}}
    return headers


def _lean(schema: dict[str, Any]) -> dict[str, Any]:
    """Say a parameter that may be left out as it is sent: present, or absent; never the word null."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        schema = {**options[0], **{name: item for name, item in schema.items() if name != "anyOf"}}
    return {name: item for name, item in schema.items() if name != "title" and item is not None}


def _translated(value: Any) -> Any:
    """Put the sentences of a description into the active language; names and codes stay."""
    if isinstance(value, dict):
        return {
            key: gettext(item) if key in TRANSLATED and isinstance(item, str) and item else _translated(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_translated(item) for item in value]
    return value
