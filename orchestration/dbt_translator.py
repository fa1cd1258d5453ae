"""How dbt's nodes look in Dagster: the group, owner and description of each asset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from orchestration.dbt import layer_of, node_shown_on

# Where dagster-dbt keeps dbt's name of the node that an asset or a check is of.
UNIQUE_ID = "dagster_dbt/unique_id"

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
    """The layer that a source, seed or model belongs to; the core's own is told from its marts."""
    layer = layer_of(node)
    in_intermediate = layer == "core" and node["fqn"][1] == "intermediate"
    return "intermediate" if in_intermediate else layer


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

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """The check of a test, if it is shown on this asset; dagster-dbt leaves some out."""
        test = self.get_resource_props(manifest, unique_id)
        shown_on = self.get_asset_spec(manifest, node_shown_on(test, manifest), project).key
        if shown_on != asset_spec.key:
            return None
        parents = {
            self.get_asset_spec(manifest, parent, project).key
            for parent in test["depends_on"]["nodes"]
        }
        return dg.AssetCheckSpec(
            name=test["name"],
            asset=shown_on,
            description=(test.get("description") or "").strip() or None,
            additional_deps=sorted(parents - {shown_on}),
            blocking=test["config"]["severity"].lower() == "error",
            metadata={UNIQUE_ID: unique_id},
        )
