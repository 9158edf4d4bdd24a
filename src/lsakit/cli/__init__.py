"""The command ``lsa``: the stages of a cycle over plain files, and the walk back along their manifests."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command that was typed.

    Returns
    -------
    int
        0; 1 when a check found something; 2 when the command refused, after one sentence on the error stream.
    """
    from lsakit.cli.app import run

    return run(sys.argv[1:])
