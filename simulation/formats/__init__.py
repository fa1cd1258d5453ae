"""The forms in which the company can be delivered: which systems it uses, and how they spell it.

What no other system has a table for, the orders, comes as a generic extract beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulation.extracts import Table
from simulation.formats import ga4, generic, hubspot, salesforce, segment, snowplow


@dataclass(frozen=True)
class Format:
    """A form of delivery.

    Attributes:
        name: as it is asked for.
        systems: the system of each source.
        tables: the tables of each source.
        event_names: what the warehouse will call an event, where that differs.
        event_attributes: the same of what is known of an event.
        lead_stages: the same of the stages of leads.
    """

    name: str
    systems: Mapping[str, str]
    tables: Mapping[str, Sequence[Table]]
    event_names: Mapping[str, str] = field(default_factory=dict)
    event_attributes: Mapping[str, str] = field(default_factory=dict)
    lead_stages: Mapping[str, str] = field(default_factory=dict)


def _of_systems(
    name: str,
    systems: tuple[str, str],
    tables: tuple[Sequence[Table], Sequence[Table]],
    **names: Mapping[str, str],
) -> Format:
    """A CRM and a web system, and the orders, which name accounts with their source."""
    return Format(
        name,
        {"generic": "generic", "crm": systems[0], "web": systems[1]},
        {"generic": (generic.orders("crm:"),), "crm": tables[0], "web": tables[1]},
        **names,
    )


GENERIC = Format("generic", {"generic": "generic"}, {"generic": generic.TABLES})
FORMATS = {
    item.name: item
    for item in (
        GENERIC,
        _of_systems(
            "salesforce-segment",
            ("salesforce", "segment"),
            (salesforce.fivetran(), segment.TABLES),
            event_names=segment.NAMES,
        ),
        _of_systems(
            "hubspot-snowplow",
            ("hubspot", "snowplow"),
            (hubspot.TABLES, snowplow.TABLES),
            event_names=snowplow.NAMES,
            event_attributes=snowplow.ATTRIBUTES,
            lead_stages=hubspot.LEAD_STAGES,
        ),
        _of_systems(
            "salesforce-ga4",
            ("salesforce", "ga4"),
            (salesforce.airbyte(), ga4.TABLES),
            event_names=ga4.NAMES,
            event_attributes=ga4.ATTRIBUTES,
        ),
    )
}
