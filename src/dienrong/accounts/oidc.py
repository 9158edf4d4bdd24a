"""OpenID Connect with one provider: code flow with PKCE, state and nonce; the answer's signature is checked.

``start`` gives where to send the browser and what to keep in its session; ``finish`` turns the callback into the
provider's subject, or refuses. Nothing here knows accounts.

References
----------
OpenID Connect Core 1.0, sections 3.1.2-3.1.3; OpenID Connect Discovery 1.0, section 4; RFC 7636 (PKCE).
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from django.conf import settings
from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dienrong.core import clock
from dienrong.core.refusals import Refusal

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 10
KEEP_DISCOVERY_SECONDS = 3600.0
LEEWAY_SECONDS = 60
FLOW_SECONDS = 900
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
MANY_FACTORS = frozenset({"mfa"})
MANY_FACTOR_CLASSES = frozenset(
    {"mfa", "https://refeds.org/profile/mfa", "http://schemas.openid.net/pape/policies/2007/06/multi-factor"}
)

_lock = threading.Lock()
_kept: dict[str, tuple[float, dict[str, Any]]] = {}


class ProviderRefused(Refusal):
    """The provider did not answer, refused, or its answer cannot be believed."""

    code = "accounts.provider_refused"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the provider vouches for: its address, the person's subject, whether it checked a second factor."""

    issuer: str
    subject: str
    has_second_factor: bool


def start(*, callback: str) -> tuple[str, dict[str, Any]]:
    """Begin a sign-in at the provider.

    Parameters
    ----------
    callback : str
        Absolute address to which the provider sends the browser back.

    Returns
    -------
    tuple of (str, dict)
        Where to send the browser, and what to keep in its session until it comes back.

    Raises
    ------
    ProviderRefused
        If the provider cannot be reached or its description is not its own.
    """
    flow = {
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "verifier": secrets.token_urlsafe(64),
        "at": clock.now().timestamp(),
        "callback": callback,
    }
    with _client(callback) as client:
        address, _state = client.create_authorization_url(
            _demand_address(discovery(), "authorization_endpoint"),
            state=flow["state"],
            nonce=flow["nonce"],
            code_verifier=flow["verifier"],
        )
    return str(address), flow


def finish(*, flow: dict[str, Any] | None, state: str, code: str, error: str = "") -> Claims:
    """Turn the provider's callback into the subject it vouches for.

    Parameters
    ----------
    flow : dict or None
        What ``start`` gave, taken out of the session so that it serves once.
    state, code, error : str
        What the callback brought.

    Raises
    ------
    ProviderRefused
        If the callback is not the answer to this browser's request, comes too late, or its token is not the
        provider's own, for us, of now, and of this request.
    """
    if not flow or not state or not secrets.compare_digest(state.encode(), str(flow["state"]).encode()):
        raise _refused("this answer does not belong to a sign-in begun in this browser")
    if clock.now().timestamp() - float(flow["at"]) > FLOW_SECONDS:
        raise _refused("the sign-in was begun too long ago")
    if error or not code:
        raise _refused(f"the provider answered {error[:60] or 'without a code'}")
    try:
        with _client(flow["callback"]) as client:
            token = client.fetch_token(
                _demand_address(discovery(), "token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=flow["verifier"],
                timeout=TIMEOUT_SECONDS,
            )
    except (AuthlibBaseError, requests.RequestException, ValueError) as failure:
        raise _refused(f"the code was not taken: {failure}") from failure
    return read_id_token(
        str(token.get("id_token") or ""),
        nonce=flow["nonce"],
        access_token=str(token.get("access_token") or ""),
    )


def read_id_token(raw: str, *, nonce: str, access_token: str = "") -> Claims:
    """Check an ID token: signature, issuer, audience, time, nonce; give what it vouches for.

    Raises
    ------
    ProviderRefused
        If any of them is not as it must be.
    """
    options = settings.OPTIONS
    try:
        read = _decoded(raw)
        claims = CodeIDToken(
            read.claims,
            read.header,
            options={
                "iss": {"essential": True, "value": discovery()["issuer"]},
                "aud": {"essential": True, "value": options.oidc_client_id},
            },
            params={"nonce": nonce, "client_id": options.oidc_client_id, "access_token": access_token},
        )
        claims.validate(now=int(clock.now().timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, AuthlibBaseError, ValueError, TypeError) as failure:
        raise _refused(f"the token is not good: {type(failure).__name__}: {failure}") from failure
    subject = claims.get(options.oidc_subject_claim)
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise _refused(f"the token has no claim {options.oidc_subject_claim!r}")
    methods = claims.get("amr") or ()
    has_second_factor = bool(MANY_FACTORS & set(methods)) or claims.get("acr") in MANY_FACTOR_CLASSES
    return Claims(issuer=options.oidc_issuer, subject=subject, has_second_factor=has_second_factor)


def discovery() -> dict[str, Any]:
    """Give the provider's description of itself, asked for once an hour.

    Raises
    ------
    ProviderRefused
        If it cannot be had, or describes another provider.
    """
    issuer = settings.OPTIONS.oidc_issuer
    with _lock:
        kept = _kept.get(issuer)
    if kept is not None and clock.monotonic_seconds() - kept[0] < KEEP_DISCOVERY_SECONDS:
        return kept[1]
    described = _fetched(f"{issuer}/.well-known/openid-configuration")
    if str(described.get("issuer", "")).rstrip("/") != issuer:
        raise _refused(f"the description names the provider {described.get('issuer')!r}")
    described["keys"] = _fetched(_demand_address(described, "jwks_uri"))
    with _lock:
        _kept[issuer] = (clock.monotonic_seconds(), described)
    return described


def forget_discovery() -> None:
    """Forget what providers said of themselves; the next sign-in asks again."""
    with _lock:
        _kept.clear()


def _decoded(raw: str) -> Any:
    """Check the signature against the provider's keys; once anew where a key is not among those known."""
    try:
        return jwt.decode(raw, KeySet.import_key_set(discovery()["keys"]), algorithms=list(SIGNATURES))
    except ValueError:  # the provider changed its keys since
        forget_discovery()
        return jwt.decode(raw, KeySet.import_key_set(discovery()["keys"]), algorithms=list(SIGNATURES))


def _client(callback: str) -> OAuth2Session:
    """Make the client that knows our name and secret."""
    return OAuth2Session(
        client_id=settings.OPTIONS.oidc_client_id,
        client_secret=settings.OPTIONS.oidc_client_secret or None,
        token_endpoint_auth_method="client_secret_basic" if settings.OPTIONS.oidc_client_secret else "none",
        scope="openid",
        redirect_uri=callback,
        code_challenge_method="S256",
    )


def _fetched(address: str) -> dict[str, Any]:
    """Fetch a document of the provider."""
    try:
        answer = requests.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        document = answer.json()
    except (requests.RequestException, ValueError) as failure:
        raise _refused(f"{address} did not answer: {failure}") from failure
    if not isinstance(document, dict):
        raise _refused(f"{address} did not answer with an object")
    return document


def _demand_address(described: dict[str, Any], name: str) -> str:
    """Give an address of the description; encrypted, unless the provider itself is on this machine."""
    address = str(described.get(name) or "")
    if urlsplit(address).scheme != urlsplit(settings.OPTIONS.oidc_issuer).scheme and not address.startswith(
        "https://"
    ):
        raise _refused(f"the description has no good {name}")
    return address


def _refused(why: str) -> ProviderRefused:
    """Make the refusal; the reason stands in the technical log alone."""
    log.warning("sign-in through the provider refused", why=why[:300])
    name = settings.OPTIONS.oidc_name
    return ProviderRefused(
        _("Sign-in through %(name)s did not succeed.") % {"name": name},
        hint=_("Go back to the sign-in page and try again, or sign in with user name and password."),
    )
