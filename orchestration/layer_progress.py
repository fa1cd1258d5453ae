"""How far a layer has come: a line now and then, with the time that the rest took last night."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path

from orchestration.dbt import DbtRun
from orchestration.settings import Settings

# Often enough to see that it goes on, seldom enough for a log that somebody reads.
SECONDS_BETWEEN_LINES = 10.0


class LayerProgress:
    """One run of a layer, followed from its beginning."""

    def __init__(
        self, settings: Settings, layer: str, tables: Collection[str], tell: Callable[[str], None]
    ) -> None:
        """Begin to follow a layer.

        Args:
            settings: where it is remembered how long the layer took.
            layer: its name.
            tables: dbt's names of the tables that are to be built.
            tell: told a line now and then.
        """
        self._file = settings.dbt / f"{layer}-seconds.json"
        self._layer, self._tables, self._tell = layer, set(tables), tell
        self._finished: set[str] = set()
        self._began = self._told = time.monotonic()
        # Of the whole layer, and of each node of it: nodes run side by side.
        self._seconds, self._node_seconds = _read(self._file)

    def finish(self, node: str) -> None:
        """Note that dbt is done with a node, and tell how far it is if that was long ago."""
        self._finished.add(node)
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            built = len(self._tables & self._finished)
            self._tell(f"{self._layer:<12} {built} of {len(self._tables)} tables{self._left()}")

    def _left(self) -> str:
        """The share of last night's seconds that belongs to what is not finished."""
        all_seconds = sum(self._node_seconds.values())
        if not all_seconds:
            return ""
        finished = sum(self._node_seconds.get(node, 0.0) for node in self._finished)
        return f", about {self._seconds * (1 - finished / all_seconds):.0f} s left"

    def remember(self, ran: DbtRun) -> None:
        """Keep how long the layer took, and each of its nodes, for the next night."""
        seconds = {result.unique_id: round(result.seconds, 3) for result in ran.results}
        unfinished = self._file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps([round(time.monotonic() - self._began, 3), seconds]))
        os.replace(unfinished, self._file)


def _read(file: Path) -> tuple[float, dict[str, float]]:
    if not file.is_file():
        return 0.0, {}
    seconds, node_seconds = json.loads(file.read_text())
    return seconds, node_seconds
