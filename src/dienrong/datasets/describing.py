"""A release in the words that its metadata and its README carry."""

from __future__ import annotations

from dienrong.core import clock
from dienrong.datasets import numeric
from dienrong.datasets.models import Release

PUBLISHER_VI, PUBLISHER_EN = "Bộ Giáo dục và Đào tạo", "Ministry of Education and Training of Viet Nam"


def description_of(release: Release, *, url: str = "") -> numeric.Description:
    """Describe a release for lsakit; the address is that under which readers know this site, where it is known."""
    cycle, day = release.freeze.run.cycle, clock.today()
    return numeric.Description(
        identifier=f"{release.slug}-{release.version}",
        title_vi=release.title_vi,
        title_en=release.title_en,
        kind=release.kind,
        version=release.version,
        year=day.year,
        published_on=day.isoformat(),
        publisher_vi=PUBLISHER_VI,
        publisher_en=PUBLISHER_EN,
        population_vi=f"học sinh lớp {release.freeze.grade}, {cycle.name_vi}",
        population_en=f"students of grade {release.freeze.grade}, {cycle.name_en}",
        license_name=release.license_name,
        license_url=release.license_url,
        url=url,
        doi=release.doi,
        errata=tuple(line.strip() for line in release.errata.splitlines() if line.strip()),
    )


def refusal_of(release: Release) -> str:
    """Say why a release cannot be described; empty where it can."""
    try:
        description_of(release)
    except ValueError as refusal:
        return str(getattr(refusal, "sentence", refusal))
    return ""
