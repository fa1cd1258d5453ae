"""How much memory there is for this process: the machine's, or what its control group may have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available_memory(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """The bytes that this process could have if nothing else ran beside it.

    Args:
        cgroups: where the control groups of the system are mounted.
        own: the file that names those of this process; no such file where there are none.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min((machine, *_limits(cgroups, own)))


def _limits(cgroups: Path, own: Path) -> Iterator[int]:
    """The limit of each control group that the process is in, from its own up to the root."""
    if not own.is_file():
        return
    for line in own.read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            root, name = cgroups, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = cgroups / "memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the group may be named as the host sees it: what is not there has no limit.
        folder = root / group.lstrip("/")
        for place in (folder, *folder.parents):
            if place.is_relative_to(root) and (place / name).is_file():
                limit = (place / name).read_text().strip()
                if limit.isdecimal():
                    yield int(limit)
