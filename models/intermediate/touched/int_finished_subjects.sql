-- depends_on: {{ ref('int_entry_instants') }}
-- depends_on: {{ ref('int_tied_subjects') }}
-- depends_on: {{ ref('int_priced_journeys') }}
-- depends_on: {{ ref('fct_journey_exclusions') }}
-- depends_on: {{ ref('fct_journey_segments') }}
-- depends_on: {{ ref('fct_journey_stages') }}
-- depends_on: {{ ref('fct_stage_entries') }}
-- depends_on: {{ ref('fct_stage_transitions') }}
-- depends_on: {{ ref('fct_stage_visits') }}

select
    subject_key,
    funnel_id,
    subject_id,
    input_hash,
from {{ ref('int_subject_inputs') }}
