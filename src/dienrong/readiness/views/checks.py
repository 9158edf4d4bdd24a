"""The page with which a machine checks itself: no account, a code of the school, small bounded probes of the network."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.core import clock, requests
from dienrong.core.middleware import content_policy
from dienrong.readiness import operations, words
from dienrong.readiness.models import CheckLink, Measure
from dienrong.readiness.operations.checks import MOST_BYTES
from dienrong.readiness.queries.norms import norm_of, rules_of

SENTENCE = "Trường học vùng cao giữ gìn sự trong sáng của tiếng Việt."
"""Every tone, and letters with two marks; typed in Vietnamese whatever the language of the page."""
MOST_KB = 256
PROBES_A_MINUTE = 1500
"""Small probes of one network address in a minute: forty machines that check themselves at once make 1,300."""
Response = Callable[..., HttpResponse]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the school."""
    context: dict[str, Any] = {"typed": request.POST.get("code", "")[:20]}
    status = 200
    if request.method == "POST":
        try:
            link = operations.find_link(code=context["typed"], address=requests.address_of(request))
        except operations.CodesLocked as refusal:
            context["refusal"], status = refusal, 429
        except operations.ReportRefused as refusal:
            context["problem"], status = refusal, refusal.status
        else:
            return redirect(reverse("readiness:check", args=[link.code]))
    return _hidden(render(request, "readiness/check_enter.html", context, status=status))


def _hidden(response: HttpResponse) -> HttpResponse:
    """Keep a page out of search engines."""
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Show the check page of a school."""
    try:
        link = operations.find_link(code=code, address=requests.address_of(request))
    except operations.CodesLocked as refusal:
        return _hidden(render(request, "readiness/check_enter.html", {"refusal": refusal}, status=429))
    except operations.ReportRefused as refusal:
        context = {"problem": refusal, "typed": code[:20]}
        return _hidden(render(request, "readiness/check_enter.html", context, status=refusal.status))
    norm = norm_of(link.survey.cycle)
    rules = rules_of(norm) if norm is not None else []
    context = {
        "school": link.survey.school,
        "cycle": link.survey.cycle,
        "sentence": SENTENCE,
        "has_server": bool(link.server_address),
        "settings": _settings(link, rules),
    }
    response = _hidden(render(request, "readiness/check.html", context))
    if link.server_address:
        policy = content_policy().replace("connect-src 'self'", f"connect-src 'self' {link.server_address}")
        response["Content-Security-Policy"] = policy
    return response


def _settings(link: CheckLink, rules: list[Any]) -> dict[str, Any]:
    """Give what the script needs: addresses, ticket, rules, words."""
    urls = {
        name: reverse(f"readiness:check_{name}", args=[link.code]) for name in ("tick", "down", "up", "send")
    }
    return {
        "code": link.code,
        "ticket": operations.ticket_of(link),
        "urls": urls,
        "server": link.server_address,
        "sentence": SENTENCE,
        "rules": [
            {
                "measure": one.measure,
                "weight": one.weight,
                "bound": float(one.bound),
                "bound_text": words.bound_text(one),
            }
            for one in rules
            if one.measure != Measure.SERVER or link.server_address
        ],
        "measures": {code: str(label) for code, label in Measure.choices},
        "units": {str(code): unit for code, unit in words.UNITS.items()},
        "remedies": {code: str(text).replace("%%", "%") for code, text in words.REMEDIES.items()},
        "words": _words(),
    }


def _words() -> dict[str, str]:
    """Give the words that the script writes."""
    return {
        "holds": _("holds"),
        "fails": _("does not hold"),
        "hidden": _("not told"),
        "hidden_value": str(words.HIDDEN),
        "works": _("works"),
        "broken": _("does not work"),
        "waiting": _("waiting for you"),
        "measuring": _("being measured"),
        "passed": _("This machine can be used."),
        "warned": _("This machine can be used; see the remarks."),
        "failed": _("This machine cannot be used as it is. What to do stands in the table."),
        "unfinished": _("Still to do: %s."),
        "typing_ok": _("Typed rightly."),
        "typing_apart": _(
            "The marks stand apart from the letters: choose the code table “Unicode”, not “Unicode tổ hợp”."
        ),
        "typing_wrong": _(
            "This is not the sentence yet. Compare letter by letter; switch the Vietnamese keyboard on if marks are missing."
        ),
        "typing_paste": _("Please type the sentence; it was pasted."),
        "sound_ok": _("Right, the sound works."),
        "sound_wrong": _("That is not the number of tones. Listen once more."),
        "sound_none": _("This browser plays no sound."),
        "kept_ok": _("The text was kept over the cut."),
        "kept_wrong": _("The text was not kept."),
        "kept_none": _("This browser keeps nothing on the machine."),
        "kept_short": _("Write a few words first."),
        "sent": _("The report has arrived at %s."),
        "sending": _("Sending the report…"),
        "offline": _(
            "No network: the report is kept on this machine and sent as soon as there is one. Or hand it over as a file."
        ),
        "refused": _("The report was not taken: %s"),
        "network_progress": _("%s of 30 seconds"),
        "server_blocked": _(
            "The browser does not let this page ask the school server; open the page from the school server itself."
        ),
    }


def probe(view: Response) -> Response:
    """Open a small probe to the holder of a code, so often in a minute; nothing is written."""

    @never_cache
    @csrf_exempt
    @wraps(view)
    def opened(request: HttpRequest, code: str) -> HttpResponse:
        address = requests.address_of(request)
        key = f"readiness-probe:{address}:{int(clock.now().timestamp()) // 60}"
        cache.add(key, 0, 120)
        if cache.incr(key) > PROBES_A_MINUTE:
            return JsonResponse(
                {"error": _("Too many calls came from here. Try again in a minute.")}, status=429
            )
        known = f"readiness-code:{code[:16]}"
        if not cache.get(known):
            try:
                operations.find_link(code=code, address=address)
            except operations.CodesLocked as refusal:
                return JsonResponse({"error": refusal.sentence}, status=429)
            except operations.ReportRefused as refusal:
                return JsonResponse({"error": refusal.sentence}, status=refusal.status)
            cache.set(known, True, 60)
        return view(request, code)

    return opened


@probe
@require_safe
def tick(request: HttpRequest, code: str) -> HttpResponse:
    """Tell the time of the centre, in milliseconds since 1970."""
    return JsonResponse({"now": int(clock.now().timestamp() * 1000)})


@probe
@require_safe
def down(request: HttpRequest, code: str) -> HttpResponse:
    """Give some kilobytes to receive; random, so that no packing on the way makes the line look faster."""
    asked = request.GET.get("kb", "")
    n = min(int(asked), MOST_KB) if asked.isdigit() else 64
    return HttpResponse(secrets.token_bytes(n * 1024), content_type="application/octet-stream")


@probe
@require_POST
def up(request: HttpRequest, code: str) -> HttpResponse:
    """Take some kilobytes and forget them."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_KB * 1024:
        return JsonResponse({"error": _("This is more than a probe sends.")}, status=413)
    return JsonResponse({"n": len(request.read(MOST_KB * 1024))})


@never_cache
@csrf_exempt
@require_POST
def send(request: HttpRequest, code: str) -> HttpResponse:
    """Take the report of a machine. The ticket inside stands for the page; no cookie opens anything here."""
    try:
        link = operations.find_link(code=code, address=requests.address_of(request))
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            raise operations.ReportRefused(_("The report is larger than a report can be."), status=413)
        found = operations.receive_report(link=link, body=request.read(MOST_BYTES + 1))
    except operations.CodesLocked as refusal:
        return JsonResponse({"error": refusal.sentence}, status=429)
    except operations.ReportRefused as refusal:
        return JsonResponse({"error": f"{refusal.sentence} {refusal.hint}".strip()}, status=refusal.status)
    except operations.NotNow as refusal:
        return JsonResponse({"error": refusal.sentence}, status=409)
    return JsonResponse({"verdict": found.verdict, "report_id": str(found.report_id)})
