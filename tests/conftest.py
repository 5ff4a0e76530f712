"""Fixtures for all tests: where the real data sets are, and unpacked copies of them."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the first example pays for imports. In CI the examples are the same every time, so that a red build says
# something about the change; everywhere else the search goes on.
settings.register_profile("search", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "search")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public data sets; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("LEAKAUDIT_REALDATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the public data sets are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def unpacked(shared_data: Path) -> Callable[[str], Path]:
    """Unpack ``<name>.tar`` once for all test processes, outside the repository, and give its folder."""

    def unpack(name: str) -> Path:
        archive = shared_data / f"{name}.tar"
        size = archive.stat().st_size
        target = Path(tempfile.gettempdir()) / "leakaudit-realdata" / f"{name}-{size}"
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=target.parent))
            with tarfile.open(archive) as tar:
                tar.extractall(partial, filter="data")
            try:
                partial.rename(target)
            except OSError:  # another test process was first
                if not target.is_dir():
                    raise
        return target

    return unpack
