"""Forms in two steps: what was filled in is shown as what it would do, and accepted on the page after."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from dienrong.core.refusals import NotAllowed, Refusal

ACCEPT, CHANGE = "accept", "change"
NOT_CARRIED = ("csrfmiddlewaretoken", ACCEPT, CHANGE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The way of one form.

    Parameters
    ----------
    template : str
        The page, which draws the form, or ``preview`` where there is one.
    forms : sequence of Form
        All of them must be valid; refusals stand at the first.
    plan : callable
        Says what would happen, without writing; its refusals are shown on the form.
    show : callable
        Makes of the plan what the page draws.
    act : callable
        Does it, and gives the address to go to.
    done : str
        What is said afterwards.
    context : dict
        What the page needs beside.
    """

    template: str
    forms: Sequence[Any]
    plan: Callable[[], Any]
    show: Callable[[Any], Any]
    act: Callable[[], str]
    done: str
    context: dict[str, Any]


def take(request: HttpRequest, steps: Steps) -> HttpResponse:
    """Draw the form, the preview of what was filled in, or do it."""
    first = steps.forms[0]
    if not first.is_bound:
        return _draw(request, steps)
    # Every form is asked, so that the page shows the errors of all at once.
    if [form for form in steps.forms if not form.is_valid()]:
        return _draw(request, steps, status=422)
    if CHANGE in request.POST:
        return _draw(request, steps)
    try:
        if ACCEPT in request.POST:
            address = steps.act()
        else:
            return _draw(request, steps, preview=steps.show(steps.plan()))
    except NotAllowed:
        raise
    except Refusal as refusal:
        first.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
        return _draw(request, steps, status=422)
    messages.success(request, steps.done)
    return redirect(address)


def _draw(request: HttpRequest, steps: Steps, *, preview: Any = None, status: int = 200) -> HttpResponse:
    """Draw the page; a preview carries everything that was filled in."""
    carried = [
        (name, value) for name, values in request.POST.lists() if name not in NOT_CARRIED for value in values
    ]
    context = {
        **steps.context,
        "forms": steps.forms,
        "form": steps.forms[0],
        "preview": preview,
        "carried": carried if preview is not None else [],
    }
    return render(request, steps.template, context, status=status)
