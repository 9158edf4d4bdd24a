"""Look into a damaged table from a safe distance.

A damaged Parquet file may ask its reader for more memory than there is and so end the whole process. What a
changed file still holds is therefore read by a child process, whose end is an answer too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lsakit.errors import LsakitError
from lsakit.io.canonical import table_digest, table_from_parquet

_PATIENCE_SECONDS = 60


def table_held_by(path: Path) -> dict[str, Any] | None:
    """Read which values a damaged Parquet file still holds.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to object or None
        ``hash``, ``columns`` and ``column_digests`` of the table; None when it cannot be read.
    """
    command = [sys.executable, "-m", "lsakit.lineage.damage", str(path)]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_PATIENCE_SECONDS, check=True)  # noqa: S603
        held: dict[str, Any] = json.loads(answer.stdout)
    except (subprocess.SubprocessError, OSError, ValueError):
        return None
    return held


def main() -> int:
    """Write the digest of the table in the file named on the command line.

    Returns
    -------
    int
        0, or 1 when the file cannot be read.
    """
    try:
        digest = table_digest(table_from_parquet(Path(sys.argv[1]).read_bytes()))
    except (LsakitError, OSError):
        return 1
    fields = {name: getattr(digest, name) for name in ("hash", "columns", "column_digests")}
    sys.stdout.write(json.dumps(fields))
    return 0


if __name__ == "__main__":
    sys.exit(main())
