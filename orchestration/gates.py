"""The gates between the layers: running a suite, keeping every result, letting a surprise pass.

What the suites hold is in `expectations`, what must be true of each row in dbt's tests, whose
results are kept here too. Which asset a gate blocks is decided by the Dagster definitions.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from expectations import core, marts, raw, staging
from expectations.engine import Finding, run_suite
from expectations.rules import Rule
from orchestration.settings import Settings

LAYERS = ("raw", "staging", "core", "marts")

Kind = Literal["expectation", "dbt_test"]
Status = Literal["passed", "failed", "accepted"]


class AcceptanceError(ValueError):
    """A surprise that cannot be accepted. The message says what could be."""


@dataclass(frozen=True)
class GateResult:
    """What one gate found in one run.

    Attributes:
        gate: the gate's name, the same in every run; what `make accept` takes.
        table: the table that was judged, as `schema.table`.
        rule: what must be true, as a sentence.
        status: `accepted` is a failure that somebody let pass.
        observed: what was found, in words. An acceptance holds for exactly this text.
        expected: what would have passed, in words.
        offending_rows: SQL that lists the rows behind it in the build's database; may be empty.
        reason: why it was accepted; None where nobody had to.
        kind: who looked.
    """

    gate: str
    table: str
    rule: str
    status: Status
    observed: str
    expected: str
    offending_rows: str = ""
    reason: str | None = None
    kind: Kind = "expectation"


def run_gate(
    layer: str, settings: Settings, run_id: str, as_of: datetime | None = None
) -> list[GateResult]:
    """Hold the suite of `layer` against the build, keep the results and return them.

    Args:
        layer: one of LAYERS.
        settings: where the build and the history are, and how much quarantine is too much.
        run_id: the run that asks.
        as_of: the instant (UTC, without an offset) of the run; None where it follows from the data.

    Returns:
        One result per gate, accepted surprises marked as such. The caller stops if one failed.

    Raises:
        ValueError: there is no such layer.
        expectations.engine.GateNotMeasuredError: a table that a gate looks at is not as it must be.
    """
    suite = run_suite(
        layer, suite_of(layer, settings, as_of), settings.build, settings.database_options
    )
    _replace_text(
        validation_file(settings, layer),
        json.dumps({"run_id": run_id, "validation": suite.validation}),
    )
    return record(settings, run_id, layer, [_result(finding) for finding in suite.findings])


def suite_of(layer: str, settings: Settings, as_of: datetime | None = None) -> list[Rule]:
    """The rules of a layer.

    Raises:
        ValueError: there is no such layer.
    """
    suites: dict[str, Callable[[], list[Rule]]] = {
        "raw": lambda: raw.rules(settings.max_quarantine_share, as_of),
        "staging": lambda: staging.rules(settings.max_quarantine_share),
        "core": core.rules,
        "marts": marts.rules,
    }
    if layer not in suites:
        raise ValueError(f"layer: expected one of {', '.join(LAYERS)}, found {layer!r}.")
    return suites[layer]()


def record(
    settings: Settings,
    run_id: str,
    layer: str,
    results: Iterable[GateResult],
    recorded_at: datetime | None = None,
) -> list[GateResult]:
    """Append results to the history, and return them with accepted surprises marked as such.

    A failure becomes `accepted` if somebody accepted this gate with this very observation; any
    other observation of it still fails.
    """
    reasons = {
        (acceptance["gate"], acceptance["observed"]): acceptance["reason"]
        for acceptance in _read_lines(_accepted_file(settings))
    }
    settled = [_settled(result, reasons) for result in results]
    recorded = {"run_id": run_id, "layer": layer, "recorded_at": _text_of(recorded_at)}
    _append_lines(_history_file(settings), [{**recorded, **asdict(result)} for result in settled])
    return settled


def accept(
    settings: Settings, gate: str, reason: str, accepted_at: datetime | None = None
) -> GateResult:
    """Let the last failure of `gate` pass from the next run on, for as long as it stays the same.

    Returns:
        The result that was accepted.

    Raises:
        AcceptanceError: there is no reason, no such gate, or it did not fail last. The message
            lists the gates that did.
    """
    last = {line["gate"]: line for line in history(settings)}
    failing = sorted(name for name, line in last.items() if line["status"] == "failed")
    acceptable = "Gates that failed last: " + (", ".join(failing) or "none") + "."
    if not gate.strip():
        raise AcceptanceError(f"GATE: expected the name of a gate, found nothing. {acceptable}")
    if not reason.strip():
        raise AcceptanceError(
            f"REASON: expected why the finding of {gate} is right, found nothing. Call again with "
            f"REASON='…'. It is published with the release."
        )
    if gate not in last:
        raise AcceptanceError(f"GATE: expected a gate that has run, found {gate!r}. {acceptable}")
    found = last[gate]
    if found["status"] != "failed":
        raise AcceptanceError(
            f"GATE: expected a gate that failed when it last ran, found that {gate} "
            f"{_status_in_words(found)} in run {found['run_id']}. {acceptable}"
        )
    acceptance = {
        "gate": gate,
        "observed": found["observed"],
        "accepted_at": _text_of(accepted_at),
        "reason": reason.strip(),
    }
    _append_lines(_accepted_file(settings), [acceptance])
    return replace(_from_line(found), status="accepted", reason=reason.strip())


def history(settings: Settings) -> list[dict[str, Any]]:
    """Every result so far, oldest first: the fields of GateResult, run_id, layer, recorded_at."""
    return _read_lines(_history_file(settings))


def results_to_publish(settings: Settings, run_id: str) -> list[dict[str, Any]]:
    """The results of a run as the release log takes them, the last one of each layer and gate."""
    last = {
        (line["layer"], line["gate"]): line
        for line in history(settings)
        if line["run_id"] == run_id
    }
    return [
        {
            "table_name": line["table"],
            **{
                name: line[name]
                for name in ("layer", "gate", "rule", "status", "observed", "expected", "reason")
            },
        }
        for line in last.values()
    ]


def failure_text(result: GateResult) -> str:
    """What whoever is woken by a failing gate needs to read, on a few lines."""
    where = result.offending_rows or "not known to this gate"
    return (
        f"Gate {result.gate} failed on {result.table}.\n"
        f"  Rule:     {result.rule}\n"
        f"  Observed: {result.observed}\n"
        f"  Expected: {result.expected}\n"
        f"  Rows:     {where}\n"
        f"  If the data is right: make accept GATE={shlex.quote(result.gate)} "
        "REASON='why it is right'"
    )


def failures_text(results: Iterable[GateResult]) -> str:
    """All failures among `results`, one after the other; empty if there is none."""
    return "\n\n".join(failure_text(result) for result in results if result.status == "failed")


def validation_file(settings: Settings, layer: str) -> Path:
    """Where the layer's last validation result of Great Expectations is kept, as JSON."""
    return settings.gates / "validations" / f"{layer}.json"


def _result(finding: Finding) -> GateResult:
    return GateResult(
        gate=finding.gate,
        table=finding.rule.table,
        rule=finding.rule.rule,
        status="passed" if finding.is_met else "failed",
        observed=finding.rule.observed_text(finding.row),
        expected=finding.rule.expected_text(finding.row),
        offending_rows=finding.rule.offending_query(finding.row),
    )


def _settled(result: GateResult, reasons: Mapping[tuple[str, str], str]) -> GateResult:
    reason = reasons.get((result.gate, result.observed))
    if result.status != "failed" or reason is None:
        return result
    return replace(result, status="accepted", reason=reason)


def _from_line(line: Mapping[str, Any]) -> GateResult:
    return GateResult(**{name: line[name] for name in GateResult.__dataclass_fields__})


def _status_in_words(line: Mapping[str, Any]) -> str:
    return "was accepted already" if line["status"] == "accepted" else "passed"


def _history_file(settings: Settings) -> Path:
    return settings.gates / "history.jsonl"


def _accepted_file(settings: Settings) -> Path:
    return settings.gates / "accepted.jsonl"


def _text_of(instant: datetime | None) -> str:
    return (instant or datetime.now(UTC)).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    # What follows the last line's end was being written when its run was killed.
    *lines, _ = path.read_bytes().decode().split("\n")
    return [_parsed(path, number, line) for number, line in enumerate(lines, start=1)]


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {number}: expected a JSON object, found {line[:80]!r} ({error.msg}). "
            "Correct or remove the line."
        ) from None
    return parsed


def _append_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Add lines at the end, over what a run that was killed while writing may have left there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    with path.open("a+b") as file:
        file.seek(0)
        written = file.read()
        file.truncate(written.rfind(b"\n") + 1)
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _replace_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
