"""The content-addressed store: one folder, files named by what they hold, nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsakit.errors import LineageError
from lsakit.io.canonical import is_table, parquet_bytes, table_digest
from lsakit.lineage.files import changed_artefact, is_whole, key_path, read_artefact, ref_path, write_atomic
from lsakit.lineage.hashing import canonical_json, hash_bytes, hash_parameters
from lsakit.lineage.manifests import EXTENSIONS, Artefact, Manifest, artefact_path, parse_manifest

if TYPE_CHECKING:
    from lsakit.lineage.verification import Finding

MARK = "store.json"
_MARK_CONTENT = b'{"schema": "lsakit.store/1"}\n'
_SHORTEST_ID = 6


class Store:
    """A folder of immutable artefacts and manifests.

    Several processes may write at once: a file appears whole under its final name or not at all, and two
    writers of the same values write the same name.

    Parameters
    ----------
    path : str or Path
        The folder.
    create : bool, default True
        Make the folder when it is not there; otherwise refuse.

    Raises
    ------
    LineageError
        If the folder is not a store and ``create`` is False, or if it holds other things.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(tempfile.mkdtemp())
    >>> artefact = store.put_table({"school_id": ["a", "b"], "enrolment": [30, 41]})
    >>> store.table(artefact.hash)["enrolment"].to_list()
    [30, 41]
    >>> store.verify()
    []
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        mark = self.path / MARK
        if mark.is_file():
            return
        if not create or (self.path.is_dir() and any(self.path.iterdir())):
            inside = sorted(found.parent.name for found in self.path.glob(f"*/{MARK}"))
            named = f" It holds stores: {', '.join(inside)}." if inside else ""
            raise LineageError(
                f"The folder {str(path)!r} is not a store of lsakit.{named}",
                hint="Name the folder that a cycle wrote, or a new one.",
                param="path",
                got=str(path),
            )
        self.write_atomic(MARK, _MARK_CONTENT)

    # -- artefacts -----------------------------------------------------------------------------------------

    def put_table(self, table: Any) -> Artefact:
        """Keep a table.

        Parameters
        ----------
        table : table
            Polars or pandas DataFrame, or mapping of columns.

        Returns
        -------
        Artefact
            Its record; putting the same values again gives the same record and writes nothing.
        """
        digest = table_digest(table)
        content = self._keep(digest.hash, "table", parquet_bytes(table))
        return Artefact(
            hash=digest.hash,
            kind="table",
            file_digest=hash_bytes(content),
            n_bytes=len(content),
            n_rows=digest.n_rows,
            columns=digest.columns,
            column_digests=digest.column_digests,
        )

    def put_parameters(self, parameters: Any) -> Artefact:
        """Keep parameters: numbers, text, dates, lists and mappings of them.

        Parameters
        ----------
        parameters : object
            As for :func:`lsakit.lineage.hash_parameters`.

        Returns
        -------
        Artefact
            Its record.
        """
        content = (canonical_json(parameters) + "\n").encode()
        name = hash_parameters(parameters)
        content = self._keep(name, "parameters", content)
        return Artefact(hash=name, kind="parameters", file_digest=hash_bytes(content), n_bytes=len(content))

    def put_file(self, content: bytes) -> Artefact:
        """Keep a file as it is, such as a report.

        Parameters
        ----------
        content : bytes
            The file.

        Returns
        -------
        Artefact
            Its record; hash and file digest are the same.
        """
        name = hash_bytes(content)
        self._keep(name, "file", content)
        return Artefact(hash=name, kind="file", file_digest=name, n_bytes=len(content))

    def table(self, value_hash: str) -> Any:
        """Read a table and check that its values are those of its name.

        Parameters
        ----------
        value_hash : str
            Hash of the values.

        Returns
        -------
        polars.DataFrame
            The table.

        Raises
        ------
        LineageError
            If the table is missing or changed.
        """
        return read_artefact(self._read(value_hash, "table"), "table", value_hash)

    def parameters(self, value_hash: str) -> Any:
        """Read parameters and check that their values are those of their name.

        Parameters
        ----------
        value_hash : str
            Hash of the values.

        Returns
        -------
        object
            Nested dict and list.

        Raises
        ------
        LineageError
            If they are missing or changed.
        """
        return read_artefact(self._read(value_hash, "parameters"), "parameters", value_hash)

    def file(self, value_hash: str) -> bytes:
        """Read a kept file and check its bytes.

        Parameters
        ----------
        value_hash : str
            Hash of the bytes.

        Returns
        -------
        bytes
            The file.

        Raises
        ------
        LineageError
            If it is missing or changed.
        """
        content: bytes = read_artefact(self._read(value_hash, "file"), "file", value_hash)
        return content

    def kind(self, value_hash: str) -> str:
        """Say what lies behind a hash.

        Parameters
        ----------
        value_hash : str
            Hash of the values.

        Returns
        -------
        str
            ``"table"``, ``"parameters"`` or ``"file"``.

        Raises
        ------
        LineageError
            If nothing lies there.
        """
        for kind in EXTENSIONS:
            if self._candidates(value_hash, kind):
                return kind
        raise LineageError(
            f"The store holds no artefact {value_hash}.",
            hint="Run `lsa verify` to see what is missing, then run the step that made it again.",
            param="hash",
            got=value_hash,
        )

    def load(self, value_hash: str) -> Any:
        """Read an artefact of any kind, checked.

        Parameters
        ----------
        value_hash : str
            Hash of the values.

        Returns
        -------
        polars.DataFrame or object or bytes
            The table, parameters or file.
        """
        kind = self.kind(value_hash)
        return read_artefact(self._read(value_hash, kind), kind, value_hash)

    def put(self, value: Any) -> Artefact:
        """Keep a value as what it is: a data frame as table, bytes as file, anything else as parameters.

        Parameters
        ----------
        value : polars.DataFrame or pandas.DataFrame or bytes or object
            The value.

        Returns
        -------
        Artefact
            Its record.
        """
        if isinstance(value, bytes):
            return self.put_file(value)
        return self.put_table(value) if is_table(value) else self.put_parameters(value)

    def state(self, artefact: Artefact) -> str:
        """Say whether the file of an artefact is as it was written.

        Parameters
        ----------
        artefact : Artefact
            Its record.

        Returns
        -------
        str
            ``"whole"``, ``"missing"`` or ``"changed"``.
        """
        try:
            content = (self.path / artefact.file_name).read_bytes()
        except FileNotFoundError:
            return "missing"
        return "whole" if hash_bytes(content) == artefact.file_digest else "changed"

    # -- manifests and names -------------------------------------------------------------------------------

    def put_manifest(self, manifest: Manifest, content: bytes) -> None:
        """Keep a manifest and let its key point to it.

        Parameters
        ----------
        manifest : Manifest
            The manifest.
        content : bytes
            The bytes its id is the hash of.
        """
        self.write_atomic(manifest.file_name, content)
        pointer = {"manifest": manifest.id, "step": manifest.step}
        self.write_atomic(key_path(manifest.key), (canonical_json(pointer) + "\n").encode())

    def manifest(self, manifest_id: str) -> Manifest:
        """Read a manifest and check that its content is that of its name.

        Parameters
        ----------
        manifest_id : str
            Its id, or the first six or more digits of it.

        Returns
        -------
        Manifest
            The manifest.

        Raises
        ------
        LineageError
            If there is none, several begin so, or it was edited.
        """
        full = self._full_id(manifest_id)
        name = f"manifests/{full}.json"
        content = (self.path / name).read_bytes()
        if hash_bytes(content).rpartition(":")[2] != full:
            raise LineageError(
                f"The manifest {name} was changed after it was written.",
                why="Its content no longer has the hash that it is named by.",
                hint="Restore it from a copy, or run the step again.",
                param="manifest",
                got=full,
            )
        return parse_manifest(content, name=name)

    def manifests(self) -> tuple[Manifest, ...]:
        """Read all manifests.

        Returns
        -------
        tuple of Manifest
            In the order of their moments, then ids.

        Raises
        ------
        LineageError
            If one was edited.
        """
        found = [self.manifest(path.stem) for path in self.files("manifests", ".json")]
        return tuple(sorted(found, key=lambda manifest: (manifest.created_at, manifest.id)))

    def find(self, key: str) -> Manifest | None:
        """Find the manifest of a run with this key.

        Parameters
        ----------
        key : str
            Key of the run.

        Returns
        -------
        Manifest or None
            The manifest, or None when no such run is kept.
        """
        pointer = self._pointer(key_path(key))
        if pointer is None or not (self.path / f"manifests/{pointer}.json").is_file():
            return None
        manifest = self.manifest(pointer)
        return manifest if manifest.key == key else None

    def set_ref(self, name: str, manifest_id: str) -> None:
        """Let a name point to a manifest.

        Parameters
        ----------
        name : str
            Name with parts of letters, digits, ``.``, ``-`` and ``_``, separated by ``/``.
        manifest_id : str
            Id of a manifest of this store.

        Raises
        ------
        LineageError
            If the name has other signs or the manifest is not there.
        """
        full = self._full_id(manifest_id)
        self.write_atomic(ref_path(name), (canonical_json({"manifest": full}) + "\n").encode())

    def ref(self, name: str) -> str:
        """Give the manifest that a name points to.

        Parameters
        ----------
        name : str
            The name.

        Returns
        -------
        str
            Id of the manifest.

        Raises
        ------
        LineageError
            If there is no such name.
        """
        pointer = self._pointer(ref_path(name))
        if pointer is None:
            raise LineageError(
                f"The store has no name {name!r}.",
                where=list(self.refs()),
                hint="Run that stage first.",
                param="name",
                got=name,
            )
        return pointer

    def drop_ref(self, name: str) -> None:
        """Forget a name; what it pointed to stays.

        Parameters
        ----------
        name : str
            The name; nothing happens when it is not there.
        """
        (self.path / ref_path(name)).unlink(missing_ok=True)

    def refs(self) -> dict[str, str]:
        """Give all names and the manifests they point to.

        Returns
        -------
        dict of str to str
            Manifest id by name, in the order of names.
        """
        root = self.path / "refs"
        names = {
            path.relative_to(root).with_suffix("").as_posix(): path for path in self.files("refs", ".json")
        }
        return {name: self._pointer(ref_path(name)) or "" for name in sorted(names)}

    def verify(self) -> list[Finding]:
        """Check every artefact, manifest and name.

        Returns
        -------
        list of Finding
            Empty when every byte is as it was written; otherwise one finding per file, naming the file, the
            step that wrote it and what changed.
        """
        from lsakit.lineage.verification import verify_store

        return verify_store(self)

    # -- files ---------------------------------------------------------------------------------------------

    def files(self, folder: str, suffix: str = "") -> Iterator[Path]:
        """Walk the files of a part of the store.

        Parameters
        ----------
        folder : str
            ``"artefacts"``, ``"manifests"``, ``"refs"`` or ``"keys"``.
        suffix : str, default ""
            End of the file names.

        Returns
        -------
        Iterator of Path
            Files in the order of their paths.
        """
        found = (path for path in (self.path / folder).rglob("*" + suffix) if path.is_file())
        return iter(sorted(path for path in found if not path.name.startswith(".part-")))

    def write_atomic(self, name: str, content: bytes) -> None:
        """Write a file so that it is there whole or not at all.

        Parameters
        ----------
        name : str
            Path inside the store with forward slashes.
        content : bytes
            The bytes.
        """
        write_atomic(self.path / name, content)

    def _candidates(self, value_hash: str, kind: str) -> list[Path]:
        """List the files that hold these values by their names."""
        digits = value_hash.rpartition(":")[2]
        folder = self.path / "artefacts" / digits[:2]
        return sorted(folder.glob(f"{digits}-*.{EXTENSIONS[kind]}"))

    def _whole(self, value_hash: str, kind: str) -> bytes | None:
        """Read the first whole file that holds these values."""
        for path in self._candidates(value_hash, kind):
            content = path.read_bytes()
            if is_whole(path, content):
                return content
        return None

    def _keep(self, value_hash: str, kind: str, content: bytes) -> bytes:
        """Write an artefact unless the same values lie there already; return the bytes that lie there."""
        there = self._whole(value_hash, kind)
        if there is not None:
            return there
        self.write_atomic(artefact_path(value_hash, kind, hash_bytes(content)), content)
        return content

    def _read(self, value_hash: str, kind: str) -> bytes:
        """Read the file of an artefact, refusing one that is missing or damaged before it is opened."""
        content = self._whole(value_hash, kind)
        if content is not None:
            return content
        damaged = self._candidates(value_hash, kind)
        if damaged:
            file = damaged[0].relative_to(self.path).as_posix()
            raise changed_artefact(file, "its bytes have another hash", value_hash)
        raise LineageError(
            f"The artefact {value_hash} ({kind}) is missing from the store.",
            hint="Restore it from a copy, or run the step that made it again.",
            param="hash",
            got=value_hash,
        )

    def _pointer(self, name: str) -> str | None:
        """Read the manifest id that a ref or key file holds; None when absent or unreadable."""
        try:
            pointer = json.loads((self.path / name).read_bytes())["manifest"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return pointer if isinstance(pointer, str) else None

    def _full_id(self, manifest_id: str) -> str:
        """Complete the start of a manifest id."""
        text = manifest_id.rpartition(":")[2].lower()
        if (self.path / f"manifests/{text}.json").is_file():
            return text
        found: Sequence[Path] = []
        if len(text) >= _SHORTEST_ID and text.isalnum():
            found = list((self.path / "manifests").glob(f"{text}*.json"))
        if len(found) == 1:
            return found[0].stem
        raise LineageError(
            f"The store holds {'several manifests that begin' if found else 'no manifest'} {manifest_id!r}.",
            where=[path.stem for path in sorted(found)],
            hint="Give more digits." if found else "Run `lsa verify` to see what the store holds.",
            param="manifest_id",
            got=manifest_id,
        )
