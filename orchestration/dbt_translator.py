"""How dbt's nodes look in Dagster: the group, owner and description of each asset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

# A group is a layer; who is asked about it stands beside it.
OWNERS = {
    "raw": "team:data-engineering",
    "staging": "team:data-engineering",
    "intermediate": "team:data-engineering",
    "core": "team:analytics",
    "marts": "team:analytics",
    "release": "team:data-engineering",
}


def group_of(node: Mapping[str, Any]) -> str:
    """The layer that a source, seed or model belongs to."""
    if node["resource_type"] == "source":
        return "raw"
    if node["resource_type"] == "seed":
        return "staging"
    folder, *below = node["fqn"][1:-1]
    return "core" if folder == "marts" and below[:1] == ["core"] else str(folder)


class LayerTranslator(DagsterDbtTranslator):
    """Puts each node into the group of its layer, under its owner."""

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """The asset of a node, in the group of its layer."""
        node = self.get_resource_props(manifest, unique_id)
        group = group_of(node)
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(
            group_name=group,
            owners=[OWNERS[group]],
            # Dagster would repeat the whole SQL of each model, which stands in the repository.
            description=(node.get("description") or "").strip(),
        )
