"""The endpoints of the API, one module per kind of thing."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from dienrong.api.access import Bearer
from dienrong.api.door import Api, ReadableJson, StrictJson
from dienrong.api.endpoints import frame, imports, me, rosters, schools, scores, units

api = Api(
    title="Diện Rộng",
    version="1.0.0",
    description=_(
        "What the pages offer to people, offered to machines: units, schools and their history, rosters "
        "without names, imports, scores. Dates are ISO 8601. Lists come in pages; follow “next” until it is "
        "null. A thing outside the units of the key answers as one that does not exist."
    ),
    openapi_url=None,
    docs_url=None,
    auth=Bearer(),
    parser=StrictJson(),
    renderer=ReadableJson(),
    servers=[{"url": "/"}],
    urls_namespace="api-v1",
)
for room, router in (
    ("me", me.router),
    ("units", units.router),
    ("schools", schools.router),
    ("frame", frame.router),
    ("rosters", rosters.router),
    ("scores", scores.router),
    ("imports", imports.router),
):
    api.add_router("", router, tags=[room])
