"""A headless Chromium, driven through the pipe that it offers: no driver and no network.

It knows what the tests of the report ask: open a page, run a script in it, take note of what its
console said. https://chromedevtools.github.io/devtools-protocol/ describes the messages.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)
# A slow machine that draws twelve charts at a time needs seconds; this is for one that hangs.
MOST_SECONDS = 120


def chromium() -> str | None:
    """The program, where this machine has one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class PageError(AssertionError):
    """What the page did not do. The message has the browser's words."""


class Browser:
    """One page of a running Chromium.

    Attributes:
        said: errors and warnings of its console, exceptions, and requests that failed.
        requested: every address that it asked for.
    """

    def __init__(self, process: subprocess.Popen[bytes], into: int, out: int) -> None:
        """Attach to the first page."""
        self._process, self._into, self._out = process, into, out
        self._number, self._rest, self._session = 0, b"", ""
        self.said: list[str] = []
        self.requested: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.size(1440, 900)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one message and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, page: Path, query: str = "") -> None:
        """Open a page from disk, and wait until it is there and has drawn."""
        self.said, self.requested = [], []
        self.send("Page.navigate", url=page.as_uri() + query)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")
        self.wait("!document.querySelector('.plot') || document.documentElement.dataset.drawn")

    def run(self, script: str) -> Any:
        """What a script gives, as JSON can say it; a promise is waited for."""
        answer = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise PageError(f"{script}\n{answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a script gives something true."""
        until = time.monotonic() + MOST_SECONDS
        while not self.run(f"Boolean({condition})"):
            # A script that broke will not do it any more.
            if "exception" in " ".join(self.said).lower() or time.monotonic() > until:
                raise PageError(f"expected {condition}, found: {self.said}")

    def choose(self, select_id: str, value: str) -> None:
        """Choose an option as somebody who uses the page does, and wait for the charts."""
        known = self.run(
            f"[...document.getElementById({json.dumps(select_id)}).options].map(o => o.value)"
        )
        if value not in known:
            raise PageError(f"{select_id}: expected the option {value}, found {known}")
        drawn = self.run("Number(document.documentElement.dataset.drawn)")
        self.run(
            f"(() => {{ const s = document.getElementById({json.dumps(select_id)}); "
            f"s.value = {json.dumps(value)}; s.dispatchEvent(new Event('change')); }})()"
        )
        self.wait(f"Number(document.documentElement.dataset.drawn) > {drawn}")

    def size(self, width: int, height: int) -> None:
        """Be a screen of that size in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def scheme(self, name: str) -> None:
        """Prefer `light` or `dark`."""
        self.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": name}],
        )

    def picture(self, path: Path) -> None:
        """Save the whole page as PNG."""
        box = self.send("Page.getLayoutMetrics")["cssContentSize"]
        taken = self.send(
            "Page.captureScreenshot",
            captureBeyondViewport=True,
            clip={"x": 0, "y": 0, "width": box["width"], "height": box["height"], "scale": 1},
        )
        path.write_bytes(base64.b64decode(taken["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._out], [], [], MOST_SECONDS)
            part = os.read(self._out, 1 << 20) if ready else b""
            if not part:
                raise PageError("Chromium: expected an answer, found none. It may have ended.")
            self._rest += part
        text, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(told["exceptionDetails"])[:2000])
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.said.append(json.dumps(told["args"])[:2000])
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.said.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])


@contextmanager
def running(program: str, profile: Path) -> Iterator[Browser]:
    """Start Chromium with a profile of its own, and end it."""
    for_it, into = os.pipe()
    out, of_it = os.pipe()

    def connect() -> None:
        # It reads messages from 3 and writes answers to 4. First out of the way of each other.
        reads, writes = os.dup(for_it), os.dup(of_it)
        while reads in (3, 4):
            reads = os.dup(reads)
        while writes in (3, 4):
            writes = os.dup(writes)
        os.dup2(reads, 3)
        os.dup2(writes, 4)

    process = subprocess.Popen(
        [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=connect,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(for_it)
    os.close(of_it)
    try:
        yield Browser(process, into, out)
    finally:
        os.close(into)
        os.close(out)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
