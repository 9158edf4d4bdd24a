"""The kinds of job: a name, the function that does the work, its title and who may see it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from dienrong.core.refusals import Refusal
from dienrong.jobs.running import JobContext

Work = Callable[..., Any]


class UnknownKind(Refusal):
    """No room knows how to do this kind of work."""

    code = "jobs.unknown_kind"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of job."""

    name: str
    work: Callable[..., Any]
    title: Any
    permission: str | None = None
    nightly: Mapping[str, Any] | None = None


_kinds: dict[str, Kind] = {}


def job(
    name: str, *, title: Any = "", permission: str | None = None, nightly: Mapping[str, Any] | None = None
) -> Callable[[Work], Work]:
    """Declare the function that does one kind of job, in the ``tasks.py`` of its room.

    The function takes a ``JobContext`` and the parameters as keywords; it returns a JSON value or None. It is
    written so that running it twice does no harm: a killed worker's job is run again from its start. Whoever
    holds ``permission`` sees every job of this kind, beside the person who asked for it. Where ``nightly`` is
    given, the system itself asks for the work once a night, with these parameters.
    """
    if "." not in name:
        raise ValueError(f"the kind of a job is 'room.work'. Got {name!r}.")

    def declare(work: Work) -> Work:
        known = _kinds.get(name)
        if known is not None and known.work.__qualname__ != work.__qualname__:
            raise ValueError(f"two functions claim the job kind {name!r}")
        _kinds[name] = Kind(name=name, work=work, title=title or name, permission=permission, nightly=nightly)
        return work

    return declare


def kind_of(name: str) -> Kind:
    """Give a kind by its name.

    Raises
    ------
    UnknownKind
        If no room declared it.
    """
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"There is no kind of background work named {name!r}.") from None


def title_of(name: str) -> str:
    """Give the title of a kind; the name itself for a kind that is no longer declared."""
    kind = _kinds.get(name)
    return str(kind.title) if kind else name


def nightly_kinds() -> list[Kind]:
    """Give the kinds of work that the system asks for every night, by name."""
    return sorted((kind for kind in _kinds.values() if kind.nightly is not None), key=lambda kind: kind.name)


def permissions_by_kind() -> dict[str, str]:
    """Give, for each kind that has one, the permission that shows its jobs."""
    return {kind.name: kind.permission for kind in _kinds.values() if kind.permission}


__all__ = [
    "JobContext",
    "Kind",
    "UnknownKind",
    "job",
    "kind_of",
    "nightly_kinds",
    "permissions_by_kind",
    "title_of",
]
