"""The project as dbt parsed it: once for all invocations of a process, whatever home they are for.

Parsing takes longer than most layers, and dbt reads a parsed project only for the home that it was
parsed for. What is parsed does not depend on the home, but for the folder of the seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# By the digest of the code, as dbt wrote it. dbt works on what it is given, so each invocation gets
# a copy of its own; not by pickle, which in dbt 1.11 mixes up a manifest's fields.
_PARSED: dict[str, bytes] = {}


def recall(digest: str, file: Path, project: Path) -> Manifest | None:
    """The parsed project, for one invocation; None if this code has to be parsed.

    Args:
        digest: of the code.
        file: what dbt wrote when it parsed this code, in this process or in an earlier one.
        project: the folder that has the seeds of the invocation.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import SeedNode
    from dbt.version import __version__

    content = _PARSED.get(digest) or (file.read_bytes() if file.is_file() else None)
    if content is None:
        return None
    manifest: Manifest = Manifest.from_msgpack(content)
    if manifest.metadata.dbt_version != __version__:
        return None
    _PARSED.clear()
    _PARSED[digest] = content
    manifest.build_parent_and_child_maps()  # type: ignore[no-untyped-call]
    for node in manifest.nodes.values():
        if isinstance(node, SeedNode):
            node.root_path = str(project)
    return manifest
