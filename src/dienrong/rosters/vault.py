"""What the vault seals: an identity, bound to its study id; and the digests by which it is found again."""

from __future__ import annotations

import dataclasses
import datetime
import json

from dienrong.core import sealing
from dienrong.core.refusals import Refusal
from dienrong.rosters.models import VaultEntry

SEAL = "rosters.vault"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
IDENTITY_CELLS = ("full_name", "birth_date", "code", "personal_id", "ethnicity")


class VaultUnreadable(Refusal):
    """The key of this installation does not open the vault, or an entry was moved to another person."""

    code = "rosters.vault_unreadable"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a person is, as the vault knows it; ``code`` is the pupil's or the staff code."""

    full_name: str
    birth_date: str
    code: str
    personal_id: str = ""
    ethnicity: str = ""

    @property
    def born(self) -> datetime.date:
        """The date of birth."""
        return datetime.date.fromisoformat(self.birth_date)


def sealer() -> sealing.Sealer:
    """Give what seals and opens many entries with one look-up of the key."""
    return sealing.Sealer(SEAL)


def seal(study_id: str, identity: Identity, *, by: sealing.Sealer | None = None) -> bytes:
    """Seal an identity together with the study id it belongs to."""
    cells = [study_id, *(getattr(identity, name) for name in IDENTITY_CELLS)]
    return (by or sealer()).seal(_encode(cells).encode())


def unseal(study_id: str, sealed: bytes, *, by: sealing.Sealer | None = None) -> Identity:
    """Open a sealed identity.

    Raises
    ------
    VaultUnreadable
        If the key does not fit, or the blob belongs to another study id.
    """
    try:
        owner, *cells = json.loads((by or sealer()).open(sealed))
    except (sealing.SealBroken, ValueError) as error:
        raise unreadable() from error
    if owner != study_id:
        raise unreadable()
    return Identity(**dict(zip(IDENTITY_CELLS, cells, strict=True)))


def identity_of(entry: VaultEntry, *, by: sealing.Sealer | None = None) -> Identity:
    """Open the identity of an entry."""
    return unseal(entry.study_id, entry.sealed, by=by)


def code_digester(kind: str) -> sealing.Digester:
    """Give what makes the digests of many codes of a kind of people."""
    return sealing.Digester(f"rosters.{kind}.code")


def personal_id_digester(kind: str) -> sealing.Digester:
    """Give what makes the digests of many personal numbers of a kind of people."""
    return sealing.Digester(f"rosters.{kind}.personal_id")


def code_digest(kind: str, code: str) -> str:
    """Give the keyed digest of a pupil's or staff code."""
    return code_digester(kind)(code)


def personal_id_digest(kind: str, personal_id: str) -> str | None:
    """Give the keyed digest of a personal number; None where there is none."""
    return personal_id_digester(kind)(personal_id) if personal_id else None


def unreadable() -> VaultUnreadable:
    """Make the refusal of an entry that cannot be opened."""
    from django.utils.translation import gettext as _

    return VaultUnreadable(
        _("The names cannot be opened with the key of this installation."),
        hint=_("Ask the administrator to restore the key of the vault from its backup. No list is lost."),
    )
