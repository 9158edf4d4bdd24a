"""Walk from an artefact back to what it was made of."""

from __future__ import annotations

from collections.abc import Sequence

from lsakit.errors import LineageError
from lsakit.lineage.manifests import Manifest
from lsakit.lineage.store import Store


def producer(
    manifests: Sequence[Manifest], value_hash: str, *, other_than: str | None = None
) -> Manifest | None:
    """Find the run that made an artefact.

    Parameters
    ----------
    manifests : Sequence of Manifest
        Runs to search, in the order of their moments.
    value_hash : str
        Hash of the artefact.
    other_than : str, optional
        Id of a run that does not count: one that takes an artefact and hands it on did not make it.

    Returns
    -------
    Manifest or None
        The first run that gave it, or None when it came from outside.
    """
    for manifest in manifests:
        if manifest.id != other_than and any(
            artefact.hash == value_hash for artefact in manifest.outputs.values()
        ):
            return manifest
    return None


def ancestry(store: Store, manifest_id: str, *, outside: str = "refuse") -> tuple[Manifest, ...]:
    """Walk from a run back to the runs that made its inputs, down to those that had none.

    Parameters
    ----------
    store : Store
        The store.
    manifest_id : str
        Id of the manifest, or the start of it.
    outside : {"refuse", "leave"}, default "refuse"
        What to do with an input that no run of this store made, such as a file that was put in: refuse the
        walk, or leave that input as its end.

    Returns
    -------
    tuple of Manifest
        The run itself first, then each run behind it once, nearest first.

    Raises
    ------
    LineageError
        If an input was made by no run of this store, unless such inputs are left.
    """
    manifests = store.manifests()
    walk = [store.manifest(manifest_id)]
    for manifest in walk:
        for role, value_hash in manifest.inputs.items():
            behind = producer(manifests, value_hash, other_than=manifest.id)
            if behind is None and outside == "leave":
                continue
            if behind is None:
                raise LineageError(
                    f"The input {role!r} of step {manifest.step!r} ({value_hash[:19]}…) was made by no run "
                    "of this store.",
                    hint="Bring its manifest into the store, or trace it where it was made.",
                    param=role,
                    got=value_hash,
                )
            if all(behind.id != known.id for known in walk):
                walk.append(behind)
    return tuple(walk)
