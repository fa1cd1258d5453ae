"""Kills code before each place at which it writes something, one after the other.

The places are found by watching an undisturbed run, so that a step that is added is killed, too.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from types import FrameType
from typing import Any

import orchestration

Step = tuple[str, int, str]

KILLED = 99


def watch(watched: Collection[str], step_seen: Callable[[Step], None]) -> None:
    """Call back before each watched call that the package makes itself."""
    package = str(Path(orchestration.__file__).parent)

    def profile(frame: FrameType, event: str, callee: Any) -> None:
        caller = frame if event == "c_call" else frame.f_back
        name = getattr(callee, "__name__", "") if event == "c_call" else frame.f_code.co_name
        if event not in ("call", "c_call") or name not in watched or caller is None:
            return
        is_text = isinstance(getattr(callee, "__self__", None), str)
        if caller.f_code.co_filename.startswith(package) and not is_text:
            # Between two statements only DuckDB's own files differ: one a module will do.
            line = 0 if name == "execute" else caller.f_lineno
            step_seen((Path(caller.f_code.co_filename).name, line, name))

    sys.setprofile(profile)


def steps_of(watched: Collection[str], work: Callable[[], object]) -> list[Step]:
    """The places, in the order in which they are come to first."""
    steps: dict[Step, None] = {}
    watch(watched, steps.setdefault)
    try:
        work()
    finally:
        sys.setprofile(None)
    return list(steps)


def killed_at(watched: Collection[str], step: Step, work: Callable[[], object]) -> bool:
    """Whether the work was killed before the step, in a process of its own."""

    def work_until() -> None:
        watch(watched, lambda seen: os._exit(KILLED) if seen == step else None)
        work()

    process = multiprocessing.get_context("fork").Process(target=work_until)
    process.start()
    process.join()
    return process.exitcode == KILLED
