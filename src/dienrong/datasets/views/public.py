"""Pages for everybody: published files, their variables, the files themselves."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dienrong.accounts import permissions
from dienrong.core import requests
from dienrong.core.refusals import Refusal
from dienrong.datasets import describing, kept, numeric, operations, queries
from dienrong.datasets.models import Release
from dienrong.datasets.views import parts

VARIABLES_PER_PAGE = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the published files."""
    context = {
        "releases": [{"release": one, "title": queries.title_of(one)} for one in queries.published()],
        "own": queries.own_requests(request.user),
        "may_manage": permissions.may(request.user, "manage_datasets"),
    }
    return render(request, "datasets/index.html", context)


@require_safe
def release(request: HttpRequest, release_id: int) -> HttpResponse:
    """Show a release: files with checksums, citation, license, the table that it proves, errata."""
    found = parts.release_or_404(request, release_id)
    if found.state not in queries.SHOWN:
        raise Http404
    files = list(found.files.all())
    language = parts.language_now()
    versions = queries.published().filter(freeze__run__cycle=found.freeze.run.cycle, kind=found.kind)
    context = {
        "release": found,
        "title": queries.title_of(found),
        "files": files,
        "citation": numeric.citation(
            describing.description_of(found, url=request.build_absolute_uri(request.path)), language
        ),
        "rows": numeric.table_of(kept.folder_of(found), language),
        "versions": versions.filter(freeze__grade=found.freeze.grade).exclude(pk=found.pk),
        "errata": [line for line in found.errata.splitlines() if line.strip()],
        "may_manage": permissions.may(request.user, "manage_datasets"),
    }
    return render(request, "datasets/release.html", context)


@require_safe
def codebook(request: HttpRequest, release_id: int) -> HttpResponse:
    """Show and search the variables of a release."""
    found = parts.release_or_404(request, release_id)
    stems = queries.stems_of(found)
    if not stems:
        raise Http404
    search, file = request.GET.get("q", "")[:80], request.GET.get("tep", "")
    file = file if file in stems else ""
    page = Paginator(queries.find_variables(found, search, file), VARIABLES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "release": found,
        "title": queries.title_of(found),
        "page": page,
        "search": search,
        "file": file,
        "stems": stems,
        "is_english": parts.language_now() == "en",
    }
    return render(request, "datasets/codebook.html", context)


@require_safe
def file(request: HttpRequest, release_id: int, name: str) -> HttpResponse:
    """Give a file of a public release; of a restricted one what tells nothing of anybody."""
    found = parts.release_or_404(request, release_id)
    known = {one.name for one in found.files.all()}
    if name == found.archive_name and found.is_public:
        path = kept.archive_of(found)
    elif name in known and (found.is_public or is_documentation(name)):
        path = kept.folder_of(found) / name
    else:
        raise Http404
    if found.state == Release.State.PUBLISHED and request.method == "GET":
        try:
            operations.note_download(release=found, name=name, address=requests.address_of(request))
        except Refusal as refusal:
            response = render(request, "datasets/refused.html", {"refusal": refusal}, status=429)
            response["Retry-After"] = "900"
            return response
    return parts.stream_file(request, path, name=name)


DOCUMENTATION = ("README.vi.md", "README.en.md", "ddi.xml", "datacite.json", "disclosure.json")


def is_documentation(name: str) -> bool:
    """Tell whether a file describes data without holding any."""
    return name in DOCUMENTATION or ".codebook." in name
