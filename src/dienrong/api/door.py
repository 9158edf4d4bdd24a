"""The one door of the API: language, problems instead of pages, limits and tags in the headers."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.renderers import JSONRenderer

from dienrong.api import problems
from dienrong.core.refusals import Refusal

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponse]


class StrictJson(Parser):
    """Reads JSON as its standard has it: Python's NaN and Infinity are none."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Read the body."""
        return json.loads(request.body, parse_constant=_refuse_constant)


class ReadableJson(JSONRenderer):
    """Writes Vietnamese letters as they are."""

    json_dumps_params: ClassVar[dict[str, Any]] = {"ensure_ascii": False, "separators": (",", ":")}


def _refuse_constant(word: str) -> NoReturn:
    """Refuse what is no JSON."""
    raise ValueError(f"{word} is no JSON")


class Api(NinjaAPI):
    """Our API: whatever goes wrong leaves it as an exception, and the door alone puts it into words."""

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """Let the door answer."""
        raise exc


def through_door(view: View) -> View:
    """Wrap a view: every answer speaks the caller's language, every failure is a problem, none a page."""

    @functools.wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(language_of(request)):
            response = _answer(view, request, *args, **kwargs)
            response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
        allowance = getattr(request, "api_allowance", None)
        for name, value in (allowance.headers() if allowance else {}).items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ("Authorization", "Accept-Language"))
        return _tagged(request, response)

    door.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie opens anything here
    door.permission = "token"  # type: ignore[attr-defined]
    return door


def language_of(request: HttpRequest) -> str:
    """Give the language of Accept-Language where one is asked for, else that of the installation."""
    if not request.headers.get("Accept-Language"):
        return str(settings.LANGUAGE_CODE)
    bare = HttpRequest()
    bare.META["HTTP_ACCEPT_LANGUAGE"] = request.headers["Accept-Language"]
    return get_language_from_request(bare)


def nothing_here(_request: HttpRequest, **_rest: Any) -> HttpResponse:
    """Answer for every address under /api/v1/ that the specification does not name."""
    raise Http404


def _answer(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Call the view; put refusals, faults and failures into the words of problems."""
    try:
        response = view(request, *args, **kwargs)
    except Refusal as refusal:
        return problems.response_of(refusal)
    except Http404:
        return problems.response_of(problems.nothing_here())
    except ValidationError as error:
        faults = problems.faults_of(error.errors)
        sentence = _("Some values do not have the form that the specification asks for.")
        hint = _("“faults” names each of them; the page /api shows the forms.")
        return problems.response_of(problems.NotAccepted(sentence, faults=faults, hint=hint))
    except RequestDataTooBig:
        return problems.response_of(
            problems.TooLarge(
                _("The body is larger than %(n)d MiB.") % {"n": settings.DATA_UPLOAD_MAX_MEMORY_SIZE >> 20},
                hint=_("Send fewer rows per call."),
            )
        )
    except (HttpError, SuspiciousOperation, UnreadablePostError):
        sentence = _("The body cannot be read as JSON in UTF-8.")
        return problems.response_of(problems.Unreadable(sentence, hint=_("Check its brackets and quotes.")))
    except OperationalError as error:
        return problems.response_of(_busy_or_failed(error))
    except Exception as error:  # noqa: BLE001 - the last line: a number for the log instead of a stack trace
        return problems.response_of(_failed(error))
    if response.status_code == 405:
        refusal = problems.MethodNotTaken(
            _("This address takes %(methods)s.") % {"methods": response.headers.get("Allow", "GET")}
        )
        answer = problems.response_of(refusal)
        answer.headers["Allow"] = response.headers.get("Allow", "GET")
        return answer
    return response


def _busy_or_failed(error: OperationalError) -> Refusal:
    """Tell a database that is held by a long write from one that failed."""
    if "locked" in str(error) or "timeout" in str(error):
        return problems.Busy(_("A long write holds the database."), hint=_("Try again in a few seconds."))
    return _failed(error)


def _failed(error: Exception) -> Refusal:
    """Log a failure under the number of its request."""
    log.error("the API failed", exc_info=error)
    return problems.Failed(
        _("We failed at this request, and the log knows why."),
        hint=_("Tell the administrator the request_id."),
    )


def _tagged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Give a successful read its tag; answer 304 where the caller has it already."""
    if request.method != "GET" or response.status_code != 200 or response.streaming:
        return response
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    answer = get_conditional_response(request, etag=tag, response=response)
    if answer is not None and answer is not response:
        for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Content-Language"):
            if name in response.headers:
                answer.headers[name] = response.headers[name]
        return answer  # type: ignore[return-value]
    return response
