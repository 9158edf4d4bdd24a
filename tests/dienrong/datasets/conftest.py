"""The small cycle, a second expert, and releases of it, for the tests of these pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dienrong.accounts import operations as accounts
from dienrong.accounts.models import User
from dienrong.datasets import operations
from dienrong.datasets.models import Freeze, Release
from dienrong.datasets.operations import ReleaseFacts
from small_cycle import cycle, done_run, make_run, registry, small_store
from small_datasets import PLAN_PUBLIC

__all__ = ["cycle", "done_run", "make_run", "registry", "small_store"]


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path) -> None:
    """Keep the files of releases in a folder of the test."""
    settings.DATA_DIR = tmp_path


@pytest.fixture
def second(db) -> User:
    """Another expert of the ministry, who reviews."""
    user = accounts.create_person(
        username="bo2", full_name="Đinh Công Tráng", password="dien-rong-2026", by=None
    )
    accounts.assign_role(user=user, role="ministry_expert", unit_code="", unit_name="", by=None)
    return user


@pytest.fixture
def freeze(done_run, ministry) -> Freeze:
    return operations.freeze_run(run=done_run, grade=5, note="", by=ministry)


@pytest.fixture
def make_release(freeze, ministry) -> Callable[..., Release]:
    """Make and build a release in this process."""

    def make(kind: str = "public", version: str = "1.0", **changes) -> Release:
        facts = {
            "kind": kind,
            "version": version,
            "title_vi": "Tệp dữ liệu lớp 5",
            "title_en": "Data files of grade 5",
            "plan_text": PLAN_PUBLIC if kind == "public" else "",
            "formats": ("sav", "csv"),
        }
        release = operations.make_release(
            freeze=freeze, facts=ReleaseFacts(**{**facts, **changes}), by=ministry, in_background=False
        )
        return operations.build_release(release=release, progress=lambda _text, _share: None)

    return make


@pytest.fixture
def published_release(make_release, ministry, second) -> Callable[..., Release]:
    """Make, approve and publish a release."""

    def publish(kind: str = "public", **changes) -> Release:
        release = make_release(kind, **changes)
        assert release.state == "built", release.refusal
        operations.review_release(release=release, is_approved=True, note="", by=second)
        return operations.publish_release(release=release, by=ministry)

    return publish
