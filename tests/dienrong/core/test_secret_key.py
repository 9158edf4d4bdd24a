"""The key of an installation is made once, even by processes that start together."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

CODE = "from dienrong import settings; print(settings.SECRET_KEY)"


def test_processes_that_start_together_share_one_whole_key(tmp_path: Path) -> None:
    """One of two workers once read the key between its making and its writing: "holds no usable key"."""
    environment = {**os.environ, "DIENRONG_DATA_DIR": str(tmp_path)}
    environment.pop("DIENRONG_SECRET_KEY", None)
    started = [
        subprocess.Popen([sys.executable, "-c", CODE], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    keys = {process.communicate()[0].strip() for process in started}
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".secret")] == []
