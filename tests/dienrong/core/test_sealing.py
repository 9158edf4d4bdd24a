"""What is sealed opens with its key and purpose alone; digests are this installation's own."""

from __future__ import annotations

import dataclasses
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dienrong import options
from dienrong.core import sealing

KEY, OTHER_KEY = "11" * 32, "22" * 32
CODE = """
import django; django.setup()
from dienrong.core import sealing
print(sealing.keyed_digest("test.purpose", "x"))
"""


@pytest.fixture(autouse=True)
def own_key(settings) -> None:
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, vault_key=KEY)


def use_key(settings, key: str) -> None:
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, vault_key=key)


@pytest.mark.parametrize("content", [b"", b"x", "Giàng A Páo".encode(), bytes(range(256)) * 40])
def test_what_was_sealed_opens_unchanged(content: bytes) -> None:
    sealed = sealing.seal("test.purpose", content)
    assert sealing.open_sealed("test.purpose", sealed) == content
    assert sealing.open_sealed("test.purpose", memoryview(sealed)) == content
    assert len(sealed) == len(content) + 1 + 4 + 12 + 16
    if len(content) > 3:
        assert content not in sealed


def test_the_same_content_sealed_twice_differs() -> None:
    assert sealing.seal("test.purpose", b"x") != sealing.seal("test.purpose", b"x")


def test_another_purpose_does_not_open_it() -> None:
    sealed = sealing.seal("test.purpose", b"x")
    with pytest.raises(sealing.SealBroken, match=r"another purpose than 'test\.other' or by another key"):
        sealing.open_sealed("test.other", sealed)


def test_another_key_does_not_open_it(settings) -> None:
    sealed = sealing.seal("test.purpose", b"x")
    use_key(settings, OTHER_KEY)
    with pytest.raises(sealing.SealBroken, match="another key"):
        sealing.open_sealed("test.purpose", sealed)


def test_a_changed_byte_is_noticed_wherever_it_stands() -> None:
    sealed = sealing.seal("test.purpose", b"content")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(sealing.SealBroken):
            sealing.open_sealed("test.purpose", bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(sealing.SealBroken):
            sealing.open_sealed("test.purpose", sealed[:length])


def test_digests_are_equal_for_equal_texts_and_differ_by_purpose_and_key(settings) -> None:
    digest = sealing.keyed_digest("test.purpose", "012345678901")
    assert len(digest) == 64
    assert digest == sealing.keyed_digest("test.purpose", "012345678901")
    assert digest != sealing.keyed_digest("test.purpose", "012345678902")
    assert digest != sealing.keyed_digest("test.other", "012345678901")
    use_key(settings, OTHER_KEY)
    assert digest != sealing.keyed_digest("test.purpose", "012345678901")


def test_without_the_option_the_key_is_made_once_and_kept(settings, tmp_path: Path) -> None:
    use_key(settings, "")
    settings.DATA_DIR = tmp_path
    sealed = sealing.seal("test.purpose", b"x")
    kept = tmp_path / "vault_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(bytes.fromhex(kept.read_text())) == 32
    assert sealing.open_sealed("test.purpose", sealed) == b"x"
    assert [path.name for path in tmp_path.iterdir()] == ["vault_key"]


def test_a_damaged_key_file_is_named_and_not_replaced(settings, tmp_path: Path) -> None:
    use_key(settings, "")
    settings.DATA_DIR = tmp_path
    (tmp_path / "vault_key").write_text("half a key")
    with pytest.raises(sealing.SealBroken, match="holds no usable key"):
        sealing.seal("test.purpose", b"x")
    assert (tmp_path / "vault_key").read_text() == "half a key"


@pytest.mark.parametrize("text", ["", "11", "xy" * 32, "11" * 33])
def test_a_malformed_option_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        sealing.key_from_text(text)
    if text:
        with pytest.raises(options.OptionsError, match="64 hexadecimal digits"):
            options.load({"DIENRONG_VAULT_KEY": text})


@pytest.mark.long
def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    environment = {**os.environ, "DIENRONG_DATA_DIR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "dienrong.settings"
    environment.pop("DIENRONG_VAULT_KEY", None)
    started = [
        subprocess.Popen([sys.executable, "-c", CODE], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    digests = {process.communicate()[0].strip() for process in started}
    assert len(digests) == 1
    assert len(digests.pop()) == 64
