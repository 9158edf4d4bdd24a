"""Where a trace finds manifests and tables: in a store, or beside plain files."""

from __future__ import annotations

from typing import Any, Protocol

import polars as pl

from lsakit.errors import LineageError
from lsakit.lineage import Manifest, Store, producer


class TraceSource(Protocol):
    """Something that can be walked back."""

    def estimates(self, grade: int) -> Manifest:
        """Give the run that estimated a grade's figures."""

    def report(self) -> Manifest | None:
        """Give the run that composed the reports, if there is one."""

    def behind(self, manifest: Manifest, role: str) -> Manifest | None:
        """Give the run that made an input; None when it came from outside or has no such input."""

    def output(self, manifest: Manifest, role: str) -> Any:
        """Read an output of a run, checked against its hash."""


class StoreSource:
    """Walk back in a store.

    Parameters
    ----------
    store : Store
        The store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        newest = [store.manifest(manifest_id) for manifest_id in store.refs().values()]
        self._newest = {manifest.id: manifest for manifest in newest}
        self._all: tuple[Manifest, ...] | None = None

    def estimates(self, grade: int) -> Manifest:
        """Give the newest estimates of a grade.

        Parameters
        ----------
        grade : int
            Grade.

        Returns
        -------
        Manifest
            The run.
        """
        return self.store.manifest(self.store.ref(f"estimates/grade{grade}"))

    def report(self) -> Manifest | None:
        """Give the newest reports.

        Returns
        -------
        Manifest or None
            The run, or None when no report was made.
        """
        found = self.store.refs().get("report")
        return self.store.manifest(found) if found else None

    def behind(self, manifest: Manifest, role: str) -> Manifest | None:
        """Find the run that made an input, the newest cycle first.

        Parameters
        ----------
        manifest : Manifest
            A run.
        role : str
            Role of its input.

        Returns
        -------
        Manifest or None
            The run behind it; None when it has no such input.

        Raises
        ------
        LineageError
            If no run of the store made it.
        """
        if role not in manifest.inputs:
            return None
        found = producer(list(self._newest.values()), manifest.inputs[role])
        if found is None:
            self._all = self._all or self.store.manifests()
            found = producer(self._all, manifest.inputs[role])
        if found is None:
            raise LineageError(
                f"The input {role!r} of step {manifest.step!r} was made by no run of this store.",
                hint="Run `lsa verify` to see what is missing.",
                param=role,
                got=manifest.inputs[role],
            )
        return found

    def output(self, manifest: Manifest, role: str) -> Any:
        """Read an output.

        Parameters
        ----------
        manifest : Manifest
            A run.
        role : str
            Role of its output.

        Returns
        -------
        polars.DataFrame or object or bytes
            What it gave.
        """
        return self.store.load(manifest.outputs[role].hash)


def only_row(table: pl.DataFrame, column: str, value: str, what: str) -> dict[str, Any]:
    """Find the one row of an identifier.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    column : str
        Identifier column.
    value : str
        Identifier.
    what : str
        What the table is called in a refusal.

    Returns
    -------
    dict of str to object
        The row.

    Raises
    ------
    LineageError
        If the table has no such row.
    """
    found = table.filter(pl.col(column) == value)
    if found.height != 1:
        raise LineageError(
            f"The {what} holds {found.height} rows with {column} {value!r}; a trace needs one.",
            hint="Run `lsa verify`: the artefacts may belong to different runs.",
            param=column,
            got=value,
        )
    return found.row(0, named=True)
