"""Files of a plan for those who make it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dienrong.accounts.permissions import requires
from dienrong.sampling import outputs
from dienrong.sampling.views.plans import plan_of


@require_GET
@requires("change_samples")
def file(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Give one file of a plan."""
    found = outputs.output(plan_of(pk), name)
    if found is None:
        raise Http404
    return found
