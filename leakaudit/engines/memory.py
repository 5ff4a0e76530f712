"""How much memory there is: of the machine, of the container, of the process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MOST = 2_000_000_000
"""What table work holds by default where there is plenty; beyond it, spilling costs little (36 million rows of 12
columns: 214 s by the clock with 500 MB)."""

LEAST = 100_000_000


def default_limit(root: Path = Path("/")) -> str:
    """What table work holds by default, as DuckDB reads it: half of `usable_memory`, from `LEAST` to `MOST`."""
    there = usable_memory(root)
    return f"{max(LEAST, MOST if there is None else min(MOST, there // 2)) // 1_000_000}MB"


def usable_memory(root: Path = Path("/")) -> int | None:
    """Bytes that this process may hold: the machine's, or what control groups (Linux, 1 and 2) or ``ulimit`` leave.

    Parameters
    ----------
    root : Path, default ``/``
        Where ``proc`` and ``sys`` are.

    Returns
    -------
    int or None
        None where the system does not say.
    """
    found = [*_physical(), *_of_process(), *_of_groups(root)]
    return min(found, default=None)


def _physical() -> Iterator[int]:
    try:
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # no POSIX system
        return


def _of_process() -> Iterator[int]:
    try:
        import resource
    except ImportError:
        return
    for kind in ("RLIMIT_AS", "RLIMIT_DATA"):
        limit = resource.getrlimit(getattr(resource, kind))[0] if hasattr(resource, kind) else resource.RLIM_INFINITY
        if limit != resource.RLIM_INFINITY:
            yield limit


def _of_groups(root: Path) -> Iterator[int]:
    """Limits of the group and of all groups above it; a container may see them at the root of the mount only."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    mount = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, group = [*line.split(":", 2), "", ""][:3]
        inside = Path(group.lstrip("/"))
        folders = [inside, *inside.parents]
        if not controllers:
            files = [top / folder / "memory.max" for top in (mount, mount / "unified") for folder in folders]
        elif "memory" in controllers.split(","):
            files = [mount / "memory" / folder / "memory.limit_in_bytes" for folder in folders]
        else:
            continue
        for file in files:
            try:
                yield int(file.read_text(encoding="ascii"))
            except (OSError, ValueError):  # not there, or "max"
                continue
