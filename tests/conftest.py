"""Fixtures for all tests: where the real data sets are, and unpacked copies of them."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium, driven by Playwright; tests that need it are skipped where it is absent."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("needs chromium")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which ``make test-assets`` fetches."""
    path = REPOSITORY / ".cache" / "axe-core" / "package" / "axe.min.js"
    if not path.is_file():
        pytest.skip("axe-core is not there: make test-assets")
    return path.read_text(encoding="utf-8")
