"""Who asks and from where, for the audit log and the technical log; set once per request."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

REFERENCE_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclasses.dataclass(frozen=True, slots=True)
class RequestContext:
    """The marks of one request: a short reference number, the network address, the program that asks if any."""

    reference: str = ""
    address: str = ""
    via: str = ""


NO_REQUEST = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("dienrong_request", default=NO_REQUEST)


def current() -> RequestContext:
    """Give the marks of the request being served; empty outside requests."""
    return _current.get()


@contextmanager
def serving(context: RequestContext) -> Iterator[RequestContext]:
    """Hold the marks for the time of one request."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def note_via(program: str) -> None:
    """Mark the request being served as that of a program in a person's name; the audit log tells both."""
    _current.set(dataclasses.replace(_current.get(), via=program))


def new_reference() -> str:
    """Make a reference number that a person can read aloud."""
    letters = [secrets.choice(REFERENCE_LETTERS) for _ in range(10)]
    return "".join(letters[:5]) + "-" + "".join(letters[5:])


def address_of(request: HttpRequest) -> str:
    """Give the address of the visitor, believing as many proxies as are ours."""
    remote = str(request.META.get("REMOTE_ADDR", ""))
    n_proxies = settings.OPTIONS.proxies
    if not n_proxies:
        return remote
    forwarded = [
        part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()
    ]
    return forwarded[-n_proxies] if len(forwarded) >= n_proxies else remote
