"""Refusals in the words of RFC 9457: application/problem+json with our codes; no stack trace ever."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dienrong.core import requests
from dienrong.core.refusals import Conflict, NotAllowed, Refusal, SignInFirst

CONTENT_TYPE = "application/problem+json"

TITLES = {
    400: gettext_noop("The request cannot be read"),
    401: gettext_noop("A valid key is needed"),
    403: gettext_noop("Not open to this key"),
    404: gettext_noop("Nothing at this address"),
    405: gettext_noop("This address does not take this method"),
    409: gettext_noop("The state forbids this"),
    413: gettext_noop("The request is too large"),
    422: gettext_noop("The request is not accepted"),
    429: gettext_noop("Too many requests"),
    500: gettext_noop("We failed"),
    503: gettext_noop("Busy for a moment"),
}

FAULTS = {
    "missing": gettext_noop("It is missing."),
    "extra_forbidden": gettext_noop("It is not known here."),
    "int_parsing": gettext_noop("It must be a whole number."),
    "int_type": gettext_noop("It must be a whole number."),
    "int_from_float": gettext_noop("It must be a whole number."),
    "bool_parsing": gettext_noop("It must be true or false."),
    "greater_than_equal": gettext_noop("It must be at least %(ge)s."),
    "less_than_equal": gettext_noop("It must be at most %(le)s."),
    "string_type": gettext_noop("It must be text."),
    "string_too_long": gettext_noop("It must not be longer than %(max_length)s characters."),
    "string_too_short": gettext_noop("It must not be shorter than %(min_length)s characters."),
    "string_pattern_mismatch": gettext_noop("It does not have the form %(pattern)s."),
    "literal_error": gettext_noop("It must be one of %(expected)s."),
    "too_long": gettext_noop("It must not have more than %(max_length)s entries."),
    "too_short": gettext_noop("It must have at least %(min_length)s entries."),
    "list_type": gettext_noop("It must be a list."),
    "dict_type": gettext_noop("It must be an object."),
    "model_attributes_type": gettext_noop("It must be an object."),
}
"""Sentences for the faults that the schema finds, by pydantic's type of error."""


class TokenNeeded(Refusal):
    """No token, or one that does not hold."""

    code = "api.token_needed"


class NothingHere(Refusal):
    """No such thing, or none within the token's units: nobody is told which."""

    code = "api.nothing_here"


class MethodNotTaken(Refusal):
    """The address exists and does not take this method."""

    code = "api.method_not_taken"


class Unreadable(Refusal):
    """The body is no JSON."""

    code = "api.unreadable"


class TooLarge(Refusal):
    """The body is larger than the API takes."""

    code = "api.too_large"


class TooOften(Refusal):
    """The limit of the minute is used up."""

    code = "api.too_often"

    def __init__(self, sentence: str, *, wait_seconds: int, hint: str = "") -> None:
        self.wait_seconds = wait_seconds
        super().__init__(sentence, hint=hint)


class Busy(Refusal):
    """The database is held by a long write."""

    code = "api.busy"


class Failed(Refusal):
    """We failed; the log knows the number of the request."""

    code = "api.failed"


class NotAccepted(Refusal):
    """Parameters or rows that the specification does not allow; each is named."""

    code = "api.not_accepted"

    def __init__(self, sentence: str, *, faults: Iterable[Mapping[str, str]] = (), hint: str = "") -> None:
        self.faults = tuple(faults)
        super().__init__(sentence, hint=hint)


STATUSES: tuple[tuple[type[Refusal], int], ...] = (
    (TokenNeeded, 401),
    (SignInFirst, 401),
    (NotAllowed, 403),
    (NothingHere, 404),
    (MethodNotTaken, 405),
    (Conflict, 409),
    (TooLarge, 413),
    (TooOften, 429),
    (Unreadable, 400),
    (Busy, 503),
    (Failed, 500),
)


def nothing_here() -> NothingHere:
    """Make the refusal of what does not exist, or lies outside the token's units."""
    return NothingHere(
        _("There is no such thing, or it lies outside the units of this key."),
        hint=_("Check the code; GET /api/v1/me names the units of the key."),
    )


def status_of(refusal: Refusal) -> int:
    """Give the status of a refusal; what a room refuses for its own reasons is 422."""
    return next((status for kind, status in STATUSES if isinstance(refusal, kind)), 422)


def response_of(refusal: Refusal) -> HttpResponse:
    """Write a refusal as a problem."""
    status = status_of(refusal)
    body: dict[str, Any] = {
        "code": refusal.code,
        "status": status,
        "title": _(TITLES[status]),
        "detail": refusal.sentence,
        "hint": refusal.hint,
        "request_id": requests.current().reference,
    }
    faults = getattr(refusal, "faults", ())
    if faults:
        body["faults"] = [dict(fault) for fault in faults]
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=CONTENT_TYPE)
    if isinstance(refusal, TooOften):
        response["Retry-After"] = str(refusal.wait_seconds)
    if isinstance(refusal, Busy):
        response["Retry-After"] = "5"
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Dien Rong"'
    return response


def faults_of(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Say in words what the schema found, at most twenty faults; values are never repeated."""
    faults = []
    for error in list(errors)[:20]:
        place, *names = (str(part) for part in error.get("loc", ()))
        sentence = FAULTS.get(str(error.get("type")))
        context = error.get("ctx") or {}
        if sentence is None:
            text = str(context["error"]) if "error" in context else _("Its value is not accepted.")
        else:
            text = _(sentence) % context if context else _(sentence)
        faults.append({"place": place, "name": ".".join(names), "sentence": text})
    return faults
