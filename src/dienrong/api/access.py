"""Who asks: a token, its person, and the units that both may see; how often; with which parameters."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from dienrong.accounts import permissions
from dienrong.accounts import queries as people
from dienrong.accounts.operations import note_token_use
from dienrong.accounts.permissions import Scope
from dienrong.api import operations
from dienrong.api.problems import NotAccepted, TokenNeeded, TooOften
from dienrong.core import requests

FAILED_TOKENS_PER_MINUTE = 30


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The person behind a request, the token, and the units that the two share today."""

    user: Any
    token: Any
    scope: Scope
    allowance: operations.Allowance


class Bearer(HttpBearer):
    """Lets in who brings a token that holds; a session cookie opens nothing here."""

    openapi_description = "Authorization: Bearer <key>. A key is made on the page of one's own account."

    def __call__(self, request: HttpRequest) -> Caller:
        """Find the caller, count the request, refuse parameters that the specification does not name.

        Raises
        ------
        TokenNeeded
            If no token is sent, or one that does not hold.
        TooOften
            If the token, or the address of failed tokens, asked too often in this minute.
        NotAllowed
            If the person's roles of today do not hold ``use_api``.
        NotAccepted
            If a query parameter is unknown or given twice.
        """
        kind, _blank, raw = request.headers.get(self.header, "").partition(" ")
        caller = self.authenticate(request, raw.strip() if kind.lower() == self.openapi_scheme else "")
        permissions.demand(caller.user, "use_api")
        _demand_known_parameters(request)
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Give the caller of a token; count the request against the token, a failure against the address."""
        user = people.person_of_token(token) if token.isascii() else None
        if user is None:
            _refuse(sent=bool(token))
        found = user.__dict__["api_token"]
        allowance = operations.count_request(key=f"token:{found.pk}", limit=settings.OPTIONS.api_rate)
        request.api_allowance = allowance  # type: ignore[attr-defined]
        if allowance.is_used_up:
            raise TooOften(
                _("This key asked %(n)d times in this minute, which is the limit.") % {"n": allowance.limit},
                wait_seconds=allowance.reset_seconds,
                hint=_("Wait for the seconds of Retry-After, then go on."),
            )
        note_token_use(token=found)
        requests.note_via(found.name)
        return Caller(user=user, token=found, scope=permissions.scope_of(user), allowance=allowance)


def _refuse(*, sent: bool) -> NoReturn:
    """Refuse a missing or failed token, and count it against the address."""
    address = requests.current().address or "unknown"
    failures = operations.count_request(key=f"address:{address}", limit=FAILED_TOKENS_PER_MINUTE)
    if failures.is_used_up:
        raise TooOften(
            _("Too many requests without a valid key came from this network address."),
            wait_seconds=failures.reset_seconds,
            hint=_("Check the key, wait for the seconds of Retry-After, then try again."),
        )
    sentence = (
        _("This key does not hold: it is unknown, expired, revoked, or its person may not sign in.")
        if sent
        else _("This address needs a key.")
    )
    raise TokenNeeded(
        sentence,
        hint=_("Send the header “Authorization: Bearer <key>”; keys are made on the page of your account."),
    )


def _demand_known_parameters(request: HttpRequest) -> None:
    """Refuse query parameters that the specification does not name, or that come twice."""
    match = request.resolver_match
    route = _braces(match.route if match is not None else "")
    known = _parameters().get((route, str(request.method)), frozenset())
    faults = []
    for name, values in request.GET.lists():
        if name not in known:
            sentence = _("It is not known here.")
        elif len(values) > 1:
            sentence = _("It is given more than once.")
        elif "\0" in values[0]:
            sentence = _("Its value is not accepted.")
        else:
            continue
        faults.append({"place": "query", "name": name[:80].replace("\0", ""), "sentence": sentence})
    if faults:
        raise NotAccepted(
            _("The query has parameters that this address does not take."),
            faults=faults[:20],
            hint=_("The page /api lists the parameters of each address."),
        )


def _braces(route: str) -> str:
    """Write Django's ``<str:code>`` as ``{code}``."""
    pieces = []
    for piece in ("/" + route).split("<"):
        name, closed, rest = piece.partition(">")
        pieces.append("{" + name.rpartition(":")[2] + "}" + rest if closed else piece)
    return "".join(pieces)


@functools.cache
def _parameters() -> dict[tuple[str, str], frozenset[str]]:
    """Name the query parameters of each route and method, from the specification itself."""
    from dienrong.api.specification import specification

    return {
        (path, method.upper()): frozenset(
            parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"
        )
        for path, methods in specification()["paths"].items()
        for method, operation in methods.items()
    }
