"""What must hold between the rows and tables of the declarations.

Each rule takes all tables, already completed with their defaults, and yields the mistakes that it
finds; one module a subject. What a single cell may hold is in `declaration_tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestration.declaration_rules.channels import (
    acquisitions_are_of_persons,
    attributions_are_of_what_is_won,
    channels_are_named_apart,
    costs_are_by_month,
    costs_are_of_known_channels,
    costs_can_be_converted,
)
from orchestration.declaration_rules.common import Tables
from orchestration.declaration_rules.customers import (
    cuts_part_all_scores,
    deals_can_be_prioritised,
    features_are_known_at_entry,
    key_accounts_have_criteria,
    leads_can_be_qualified,
    rfm_segments_cover_all_scores,
)
from orchestration.declaration_rules.funnels import (
    exclusions_can_apply,
    funnels_are_consistent,
    held_stages_can_be_served,
    planned_rates_are_of_open_stages,
    rules_can_match,
    stages_can_be_entered,
    stages_form_ladders,
)
from orchestration.declaration_rules.names import (
    names_are_known,
)
from orchestration.declaration_rules.plans import (
    bands_are_named_apart,
    deal_sizes_do_not_overlap,
    plans_can_be_made,
    stage_targets_can_be_met,
    what_if_steps_can_be_taken,
)
from orchestration.declaration_rules.sales import (
    agreed_contacts_are_a_range,
    endings_can_be_told,
    health_rules_have_their_bounds,
    health_rules_stand_once_in_a_funnel,
    intents_can_be_told,
    measures_raise_a_step,
)
from orchestration.declaration_rules.segments import (
    segment_bands_part_numbers,
    segments_are_named_apart,
    segments_are_taken_somewhere,
    segments_stand_once_in_a_funnel,
)
from orchestration.declaration_rules.sources import (
    channels_can_be_told,
    hours_end_after_they_begin,
    limits_are_of_what_is_tied,
    order_precedences_differ,
    traffic_can_be_recognised,
)
from orchestration.declaration_rules.watch import (
    benchmarks_are_of_steps,
    experiments_can_be_judged,
    watched_metrics_can_be_judged,
)
from orchestration.declaration_tables import Mistake

# In the order in which mistakes are told.
RULES: tuple[Callable[[Tables], Iterator[Mistake]], ...] = (
    funnels_are_consistent,
    stages_form_ladders,
    names_are_known,
    rules_can_match,
    stages_can_be_entered,
    held_stages_can_be_served,
    exclusions_can_apply,
    segments_are_named_apart,
    hours_end_after_they_begin,
    segments_are_taken_somewhere,
    segments_stand_once_in_a_funnel,
    segment_bands_part_numbers,
    limits_are_of_what_is_tied,
    traffic_can_be_recognised,
    channels_can_be_told,
    order_precedences_differ,
    deal_sizes_do_not_overlap,
    endings_can_be_told,
    measures_raise_a_step,
    agreed_contacts_are_a_range,
    intents_can_be_told,
    health_rules_have_their_bounds,
    health_rules_stand_once_in_a_funnel,
    bands_are_named_apart,
    planned_rates_are_of_open_stages,
    plans_can_be_made,
    stage_targets_can_be_met,
    what_if_steps_can_be_taken,
    channels_are_named_apart,
    attributions_are_of_what_is_won,
    costs_are_by_month,
    costs_are_of_known_channels,
    costs_can_be_converted,
    acquisitions_are_of_persons,
    watched_metrics_can_be_judged,
    benchmarks_are_of_steps,
    experiments_can_be_judged,
    cuts_part_all_scores,
    rfm_segments_cover_all_scores,
    leads_can_be_qualified,
    deals_can_be_prioritised,
    key_accounts_have_criteria,
    features_are_known_at_entry,
)
