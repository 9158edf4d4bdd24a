"""Walk back along the manifests that stand beside plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsakit.errors import LineageError
from lsakit.lineage import Manifest
from lsakit.pipeline.plain_files import (
    PlainManifest,
    manifest_path,
    read_plain_manifest,
    read_value,
    value_hash,
)


class PlainSource:
    """Walk back from a file of estimates.

    Parameters
    ----------
    path : Path
        File of estimates, with its manifest beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[str, PlainManifest] = {}

    def _read(self, path: Path) -> Manifest:
        """Read the manifest of a file."""
        found = read_plain_manifest(path)
        self._found[found.manifest.id] = found
        return found.manifest

    def estimates(self, grade: int) -> Manifest:
        """Give the run that wrote the file.

        Parameters
        ----------
        grade : int
            Grade, which the file must hold; the figure is looked up there.

        Returns
        -------
        Manifest
            The run.

        Raises
        ------
        LineageError
            If another step wrote the file.
        """
        manifest = self._read(self.path)
        if "estimates" not in manifest.outputs or manifest.parameters.get("population") != f"grade{grade}":
            raise LineageError(
                f"The file {self.path.name!r} does not hold the estimates of grade {grade}.",
                hint="Name the file that `lsa estimate` wrote for this population.",
                param="path",
            )
        return manifest

    def report(self) -> Manifest | None:
        """Reports are not looked for beside plain files.

        Returns
        -------
        None
            Always.
        """
        return None

    def behind(self, manifest: Manifest, role: str) -> Manifest | None:
        """Give the run that wrote an input.

        Parameters
        ----------
        manifest : Manifest
            A run.
        role : str
            Role of its input.

        Returns
        -------
        Manifest or None
            The run; None when the input has no manifest beside it, because it came from outside.

        Raises
        ------
        LineageError
            If the file beside that manifest is not the one that was used.
        """
        found = self._found[manifest.id]
        if role not in found.inputs or not manifest_path(found.input_path(role)).is_file():
            return None
        behind = self._read(found.input_path(role))
        if manifest.inputs[role] not in {artefact.hash for artefact in behind.outputs.values()}:
            raise LineageError(
                f"The file {found.input_path(role).name} was written again after step {manifest.step!r} used it.",
                hint="Run the later commands again.",
                param=role,
            )
        return behind

    def output(self, manifest: Manifest, role: str) -> Any:
        """Read an output, checked.

        Parameters
        ----------
        manifest : Manifest
            A run.
        role : str
            Role of its output.

        Returns
        -------
        polars.DataFrame or object or bytes
            What it wrote.

        Raises
        ------
        LineageError
            If the file was changed since.
        """
        path = self._found[manifest.id].output_path(role)
        value = read_value(path)
        if value_hash(value) != manifest.outputs[role].hash:
            raise LineageError(
                f"The file {path.name} was changed after step {manifest.step!r} wrote it.",
                hint="Restore it from a copy, or run the command again.",
                param=role,
            )
        return value
