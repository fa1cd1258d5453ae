"""The gates' results as pages that open without a network, in FUNNEL_HOME/quality.

The results come from the history that `gates` keeps; nothing is run again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from expectations.data_docs import PAGES, layer_page
from orchestration.gates import LAYERS, history, validation_file
from orchestration.settings import Settings

RUNS_SHOWN = 30


def render_quality(settings: Settings) -> Path:
    """Write the page of all gates and one of data docs for each layer that has run.

    Returns:
        The page to open, `index.html`.
    """
    settings.quality.mkdir(parents=True, exist_ok=True)
    for layer in LAYERS:
        kept = validation_file(settings, layer)
        if kept.exists():
            last = json.loads(kept.read_text(encoding="utf-8"))
            page = layer_page(layer, last["run_id"], last["validation"])
            (settings.quality / f"{layer}.html").write_text(page, encoding="utf-8")
    index = settings.quality / "index.html"
    index.write_text(_index_page(settings, history(settings)), encoding="utf-8")
    return index


def _index_page(settings: Settings, results: Sequence[Mapping[str, Any]]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGES),
        autoescape=jinja2.select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["instant"] = _instant
    runs = list(dict.fromkeys(result["run_id"] for result in reversed(results)))[:RUNS_SHOWN]
    return environment.get_template("index.html").render(
        layers=[_layer(settings, layer, results) for layer in LAYERS],
        runs=[_of_run(run_id, results) for run_id in runs],
    )


def _instant(recorded_at: str) -> str:
    return recorded_at.replace("T", " ").replace("Z", " UTC")


def _layer(settings: Settings, layer: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    of_layer = [result for result in results if result["layer"] == layer]
    return {
        "name": layer,
        "has_page": validation_file(settings, layer).exists(),
        **_of_run(of_layer[-1]["run_id"] if of_layer else "", of_layer),
    }


def _of_run(run_id: str, results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    # A run that was tried again has several results of a gate: the last one counts.
    last = {
        (result["layer"], result["gate"]): result
        for result in results
        if result["run_id"] == run_id
    }
    kept = list(last.values())
    return {
        "run_id": run_id,
        "recorded_at": kept[-1]["recorded_at"] if kept else "",
        "results": kept,
        **{
            status: [result for result in kept if result["status"] == status]
            for status in ("passed", "failed", "accepted")
        },
    }
