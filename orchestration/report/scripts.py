"""Data as scripts: what a page opened from disk can load, where it may not fetch.

Nothing that data holds can end the script or start a tag: `<`, `>` and `&` are written as escapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

# The line separators end a line of a script in old browsers, and no line of JSON.
ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def script(name: str, data: Any) -> str:
    """A script that puts `data` under `name` in `window.reportData`."""
    return (
        "window.reportData = window.reportData || {};\n"
        f"window.reportData[{_as_json(name)}] = {_as_json(data)};\n"
    )


def _as_json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_plain)
    # One after the other: `translate` takes twenty times as long for megabytes.
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r}: expected something to write as JSON, found {type(value)}.")
