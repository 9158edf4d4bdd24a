"""What a release is: title, version, who publishes it, under which terms. Shared by every kind of metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsakit.errors import TableError

_DOI = re.compile(r"10\.\d{4,9}/\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A release in words.

    Parameters
    ----------
    identifier : str
        Its own identifier at the publisher, such as ``"quoc-gia-2026-g5-puf"``.
    title_vi, title_en : str
        Title in both languages.
    kind : {"public", "restricted"}
        For whom.
    version : str
        Version, such as ``"1.0"``.
    year : int
        Year of publication.
    published_on : str
        Day of publication (ISO 8601).
    publisher_vi, publisher_en : str
        Who publishes.
    population_vi, population_en : str
        Whom the data describe.
    license_name, license_url : str
        Terms of use.
    url : str, default ""
        Page of the release.
    doi : str, default ""
        DOI, where one was given; without it the metadata are ready for one.
    errata : tuple of str
        What changed since earlier versions, the newest first.

    Raises
    ------
    TableError
        If a text that the metadata need is empty or the DOI is none.
    """

    identifier: str
    title_vi: str
    title_en: str
    kind: str
    version: str
    year: int
    published_on: str
    publisher_vi: str
    publisher_en: str
    population_vi: str
    population_en: str
    license_name: str
    license_url: str
    url: str = ""
    doi: str = ""
    errata: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a release that nobody could cite."""
        for name in ("identifier", "title_vi", "title_en", "version", "publisher_vi", "license_name"):
            if not getattr(self, name).strip():
                raise TableError(
                    f"The description of a release needs {name!r}.", hint="Write it.", param=name
                )
        if self.doi and not _DOI.fullmatch(self.doi):
            raise TableError(
                f"{self.doi!r} is no DOI.", hint="Write it as 10.12345/abc, without address.", param="doi"
            )

    def citation(self, language: str) -> str:
        """Say how the release is cited.

        Parameters
        ----------
        language : {"vi", "en"}
            Language.

        Returns
        -------
        str
            Publisher, year, title, version, and DOI or address.
        """
        is_vi = language == "vi"
        publisher, title = (self.publisher_vi, self.title_vi) if is_vi else (self.publisher_en, self.title_en)
        version = "phiên bản" if is_vi else "version"
        where = f"https://doi.org/{self.doi}" if self.doi else self.url or self.identifier
        return f"{publisher} ({self.year}). {title}, {version} {self.version}. {where}"
