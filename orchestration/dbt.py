"""dbt, run inside this process: its layers, its arguments, its manifest, and what its nodes did.

In one process a run that is killed takes dbt with it, and a layer costs half a second instead of
four. How dbt's nodes look in Dagster is in `dbt_translator`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import declarations
from orchestration.parsed_project import recall
from orchestration.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).resolve().parent.parent

# What the tables follow from, besides deliveries and declarations.
CODE = (
    "dbt_project.yml",
    "profiles.yml",
    "requirements.lock",
    "lifetime_value",
    "macros",
    "models",
    "seeds/*.yml",
)
TESTS = ("tests",)
PROJECT_FILES = (".dbtignore", "dbt_project.yml", "profiles.yml", "macros", "models", "tests")

# What became of the nodes is taken from dbt itself; its files about them take a second to write.
NO_ARTEFACTS = ("--no-write-json",)

# How DuckDB begins to say that a statement found no memory, and could not go on to the disk.
OUT_OF_MEMORY = "Out of Memory Error"


@dataclass(frozen=True)
class Layer:
    """Models that are built together, between two gates. `select` is in dbt's words."""

    name: str
    select: tuple[str, ...]


# Folder by folder, since what is excluded takes tests with it that look at both sides.
LAYERS = (
    Layer("staging", select=("resource_type:seed", "path:models/staging")),
    Layer(
        "core",
        select=(
            "path:models/intermediate/accounting",
            "path:models/intermediate/calendar",
            "path:models/intermediate/evidence",
            "path:models/intermediate/identity",
            "path:models/intermediate/journeys",
            "path:models/intermediate/orders",
            "path:models/intermediate/segments",
            "path:models/intermediate/sessions",
            "path:models/intermediate/touched",
            "path:models/marts/core",
        ),
    ),
    # What the marts are counted from is read off the core, and so stands behind its gate.
    Layer(
        "marts",
        select=(
            "path:models/intermediate/cohorts",
            "path:models/intermediate/customers",
            "path:models/intermediate/pipeline",
            "path:models/intermediate/survival",
            "path:models/intermediate/trends",
            "path:models/marts/customers",
            "path:models/marts/funnel",
            "path:models/marts/pipeline",
        ),
    ),
)


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node.

    Attributes:
        unique_id: dbt's name of it, as in the manifest.
        status: dbt's word: success, pass, warn, fail, error or skipped.
        message: what dbt says about it; empty if nothing.
        failures: rows that a test found; None for what is not a test.
        seconds: how long it took.
        compiled: the SQL that was run, as a file; None if it got no file.
    """

    unique_id: str
    status: str
    message: str
    failures: int | None
    seconds: float
    compiled: Path | None

    @property
    def is_ok(self) -> bool:
        """Whether the layer can go on after it."""
        return self.status in ("success", "pass", "warn", "no-op")

    @property
    def name(self) -> str:
        """What `dbt --select` calls it."""
        return self.unique_id.split(".")[2]


@dataclass(frozen=True)
class DbtRun:
    """One invocation: what became of each node."""

    results: tuple[NodeResult, ...]

    @property
    def failures(self) -> tuple[NodeResult, ...]:
        """The nodes that stop the night, without those that were skipped because of them."""
        return tuple(
            result for result in self.results if not result.is_ok and result.status != "skipped"
        )

    @property
    def failure_lines(self) -> tuple[str, ...]:
        """A line for each of the failures: the node, and what dbt says about it."""
        return tuple(f"  {result.unique_id}: {result.message}" for result in self.failures)

    @property
    def unfinished_for_memory(self) -> tuple[NodeResult, ...]:
        """What failed or was skipped, if memory was all that it failed for; else none."""
        failures = self.failures
        if not failures or any(OUT_OF_MEMORY not in result.message for result in failures):
            return ()
        return tuple(result for result in self.results if not result.is_ok)

    def followed_by(self, later: DbtRun) -> DbtRun:
        """Both invocations as one: of a node that was in both, what became of it in the later."""
        both = {result.unique_id: result for result in (*self.results, *later.results)}
        return DbtRun(tuple(both.values()))


class DbtError(RuntimeError):
    """dbt could not run at all. The message is dbt's own, with where to read on."""


def project_folder(settings: Settings) -> Path:
    """The project as dbt is to see it: links to the code, with the checked declarations as seeds.

    Seeds outside of the project's folder would not do: dbt writes the SQL that it runs to a path
    made of the seed's own, and where that is absolute it overwrites the seed.
    """
    return settings.dbt / "project"


def _link_project(settings: Settings) -> None:
    folder = project_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    links = {name: PROJECT / name for name in PROJECT_FILES if (PROJECT / name).exists()}
    for name, target in {**links, "seeds": settings.declarations}.items():
        link = folder / name
        if not link.is_symlink() or link.readlink() != target:
            new = folder / f".{name}.{os.getpid()}"
            new.symlink_to(target)
            os.replace(new, link)


def common_arguments(settings: Settings, target: Path | None = None) -> list[str]:
    """Where dbt finds the project and writes its artefacts; its words go to a file only."""
    folder = project_folder(settings)
    return [
        *("--project-dir", str(folder)),
        *("--profiles-dir", str(folder)),
        *("--target-path", str(target or settings.dbt / "target")),
        *("--log-path", str(settings.dbt / "logs")),
        *("--log-level", "none"),
        *("--log-level-file", "info"),
    ]


def build_arguments(
    settings: Settings,
    layer: Layer,
    without: Sequence[str] = (),
) -> list[str]:
    """The arguments that build and test one layer.

    A test that looks at two layers runs with the later one (`buildable`): with the default it
    would run before the later one is built, and hold last night's rows against tonight's. The
    tests of sources are part of the gate before the first layer, and the unit tests, which see no
    data, are those of `make test`.

    Args:
        settings: where dbt works.
        layer: what to build.
        without: tests to leave out, because what they found was accepted.
    """
    return [
        "build",
        *("--select", *layer.select),
        *("--exclude", "source:*", *without),
        *("--exclude-resource-types", "unit_test"),
        *("--indirect-selection", "buildable"),
        *NO_ARTEFACTS,
        *common_arguments(settings),
    ]


def rebuild_arguments(settings: Settings, *selected: str) -> list[str]:
    """The arguments that build what is selected beside the night's own tables, and test nothing."""
    return [
        "build",
        *("--select", *selected),
        *("--exclude-resource-types", "test", "unit_test"),
        *NO_ARTEFACTS,
        *common_arguments(settings),
    ]


def source_test_arguments(settings: Settings) -> list[str]:
    """The arguments that test the sources, before anything is built from them."""
    return ["test", "--select", "source:*", *NO_ARTEFACTS, *common_arguments(settings)]


def docs_arguments(settings: Settings) -> list[str]:
    """The arguments that write the documentation as one page."""
    return ["docs", "generate", "--static", *common_arguments(settings)]


def run(
    settings: Settings,
    arguments: Sequence[str],
    on_finished: Callable[[str], None] | None = None,
) -> DbtRun:
    """Run dbt on the project as it is now, which is parsed only if it has changed since.

    dbt builds two nodes at a time, which share the memory limit. What did not fit beside another is
    built again by itself.

    Args:
        settings: where dbt works.
        arguments: what it is told.
        on_finished: told dbt's name of each node that was built or tested.

    Returns:
        What became of the nodes, also if some failed.

    Raises:
        DbtError: dbt stopped before it ran any node, for a mistake in the project, say.
    """
    _link_project(settings)
    ran = _run_once(settings, arguments, on_finished)
    if not ran.unfinished_for_memory:
        return ran
    alone = _alone_arguments(settings, arguments[0], ran.unfinished_for_memory)
    return ran.followed_by(_run_once(settings, alone, on_finished))


def _run_once(
    settings: Settings, arguments: Sequence[str], on_finished: Callable[[str], None] | None
) -> DbtRun:
    digest, folder = _project_digest(), project_folder(settings)
    parsed = recall(digest, _parsed_file(settings, digest), folder)
    if parsed is None:
        _parse(settings, digest)
        parsed = recall(digest, _parsed_file(settings, digest), folder)
    return DbtRun(tuple(_node_results(_invoke(settings, arguments, parsed, on_finished))))


def _alone_arguments(settings: Settings, command: str, nodes: Sequence[NodeResult]) -> list[str]:
    return [
        command,
        *("--select", *sorted(node.name for node in nodes)),
        *("--indirect-selection", "empty"),
        *("--threads", "1"),
        *NO_ARTEFACTS,
        *common_arguments(settings),
    ]


def _invoke(
    settings: Settings,
    arguments: Sequence[str],
    parsed: Manifest | None = None,
    on_finished: Callable[[str], None] | None = None,
) -> Any:
    # dbt takes more than two seconds to import, which a night without news does not need.
    from dbt.cli.main import dbtRunner

    def listen(event: Any) -> None:
        if not on_finished or event.info.name != "NodeFinished":
            return
        # What was skipped, or failed, may have its turn by itself.
        if event.data.node_info.node_status not in ("skipped", "error"):
            on_finished(event.data.node_info.unique_id)

    with _environment(settings.dbt_environment()), _closing_database():
        outcome = dbtRunner(manifest=parsed, callbacks=[listen]).invoke(list(arguments))
    if outcome.exception is not None:
        if not isinstance(outcome.exception, Exception):
            raise outcome.exception
        raise DbtError(
            f"dbt {arguments[0]}: expected it to run, found: {outcome.exception}. "
            f"More is in {settings.dbt / 'logs' / 'dbt.log'}."
        ) from outcome.exception
    return outcome.result


def _node_results(result: object) -> Iterator[NodeResult]:
    for node in getattr(result, "results", ()):
        if not hasattr(node, "node"):
            continue
        compiled = getattr(node.node, "compiled_path", None)
        yield NodeResult(
            unique_id=node.node.unique_id,
            status=str(node.status),
            message=node.message or "",
            failures=node.failures,
            seconds=node.execution_time,
            compiled=Path(compiled) if compiled else None,
        )


def manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of the project as it is now, parsed only if the project has changed since.

    Raises:
        DbtError: the project has a mistake.
    """
    digest = _project_digest()
    path = _manifest_file(settings, digest)
    if not path.exists():
        _parse(settings, digest)
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def semantic_manifest(settings: Settings) -> dict[str, Any]:
    """The metrics that the project declares as MetricFlow reads them, parsed as `manifest` is.

    Raises:
        DbtError: the project has a mistake.
    """
    digest = _project_digest()
    path = _semantic_file(settings, digest)
    if not path.exists():
        _parse(settings, digest)
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def _project_digest() -> str:
    return code_digest((*CODE, *TESTS))


def _manifest_file(settings: Settings, digest: str) -> Path:
    return settings.dbt / f"manifest-{digest[:16]}.json"


def _parsed_file(settings: Settings, digest: str) -> Path:
    return settings.dbt / f"parsed-{digest[:16]}.msgpack"


def _semantic_file(settings: Settings, digest: str) -> Path:
    return settings.dbt / f"semantic-{digest[:16]}.json"


def _parse(settings: Settings, digest: str) -> None:
    declarations.write_empty(settings.declarations)
    settings.dbt.mkdir(parents=True, exist_ok=True)
    _link_project(settings)
    kept = ("manifest-*.json", "parsed-*.msgpack", "semantic-*.json")
    older = {file for pattern in kept for file in settings.dbt.glob(pattern)}
    manifest_file, parsed_file = _manifest_file(settings, digest), _parsed_file(settings, digest)
    semantic_file = _semantic_file(settings, digest)
    # In a folder of its own: another process may be building, or parsing too.
    with tempfile.TemporaryDirectory(dir=settings.dbt, prefix=".parse-") as folder:
        _invoke(settings, ["parse", *common_arguments(settings, Path(folder))])
        os.replace(Path(folder, "partial_parse.msgpack"), parsed_file)
        os.replace(Path(folder, "semantic_manifest.json"), semantic_file)
        os.replace(Path(folder, "manifest.json"), manifest_file)
    for stale in older - {manifest_file, parsed_file, semantic_file}:
        stale.unlink(missing_ok=True)


def layer_of(node: Mapping[str, Any]) -> str:
    """The name of the layer that a seed or model is built in, or that a source belongs to."""
    if node["resource_type"] == "source":
        # What is kept of past dates is made of raw, but by the models, and for the marts.
        return LAYERS[-1].name if node["source_name"] == "known_on" else "raw"
    if node["resource_type"] == "seed":
        return LAYERS[0].name
    folder = f"path:{Path(node['original_file_path']).parent.as_posix()}/"
    for layer in LAYERS:
        if any(folder.startswith(f"{path}/") for path in layer.select):
            return layer.name
    raise DbtError(
        f"{node['original_file_path']}: expected a folder that belongs to a layer, found none. "
        "Add it to LAYERS in orchestration/dbt.py."
    )


def node_shown_on(test: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The node that a test is a test of: its model, unless it looks at one of a later layer too."""
    order = ["raw", *(layer.name for layer in LAYERS)]
    nodes = {**manifest["sources"], **manifest["nodes"]}
    parents = sorted(test["depends_on"]["nodes"])
    numbers = {parent: order.index(layer_of(nodes[parent])) for parent in parents}
    last = [parent for parent in parents if numbers[parent] == max(numbers.values())]
    attached = test.get("attached_node")
    return str(attached if attached in last else last[0])


def code_digest(patterns: Sequence[str] = CODE) -> str:
    """SHA-256 over the names and contents of the project's files that match, in hexadecimal."""
    digest = hashlib.sha256()
    for pattern in patterns:
        # Tests in Python are no part of dbt's project.
        suffixes = (".sql", ".yml", ".md", ".lock", *(() if pattern in TESTS else (".py",)))
        for found in sorted(PROJECT.glob(pattern)):
            files = sorted(found.rglob("*")) if found.is_dir() else [found]
            for file in files:
                if file.suffix in suffixes and file.is_file():
                    digest.update(f"{file.relative_to(PROJECT)}\0".encode())
                    digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def write_docs(settings: Settings) -> Path:
    """Write the documentation of models, columns and lineage as one page, and say where.

    The caller holds the writer lock: the build is opened for it.

    Raises:
        DbtError: the project has a mistake.
    """
    declarations.write_empty(settings.declarations)
    run(settings, docs_arguments(settings))
    settings.docs.mkdir(parents=True, exist_ok=True)
    page = settings.docs / "index.html"
    shutil.copyfile(settings.dbt / "target" / "static_index.html", page)
    return page


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """dbt reads its settings from the environment and changes the working directory."""
    before, folder = dict(os.environ), Path.cwd()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _closing_database() -> Iterator[None]:
    """dbt leaves `build.duckdb` open, which would lock out all that reads it in this process."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    try:
        yield
    finally:
        opened = vars(DuckDBConnectionManager)["_ENV"]
        if opened is not None:
            opened.close()
            DuckDBConnectionManager._ENV = None
