{#- Few have what is beyond these, and each one tested makes the others harder to find. -#}
{%- set behaviours_of_a_stage = 50 -%}

with

cases as (
    select
        funnel_id,
        subject_id,
        journey_number,
        journey_id,
        cell_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        has_converted,
    from {{ ref('int_driver_cases') }}
),

behaviours as (
    select
        journey_id,
        to_stage_id,
        evidence_type,
        evidence_name,
        times,
    from {{ ref('int_driver_behaviours') }}
),

-- A value that may be of later tells of what became of the journey.
known_segments as (
    select
        funnel_id,
        segment_name,
    from {{ ref('dim_segments') }}
    where taken_at = 'entry' and value_known = 'at_the_time'
),

cell_segments as (
    select
        cell_segments.cell_id,
        cell_segments.segment_name,
        cell_segments.segment_value,
    from {{ ref('int_cell_segments') }} as cell_segments
    inner join known_segments
        on
            cell_segments.funnel_id = known_segments.funnel_id
            and cell_segments.segment_name = known_segments.segment_name
    where cell_segments.segment_value != '(missing)'
),

-- What the lead score knows of a journey when it begins.
feature_values as (
    select
        feature_values.funnel_id,
        feature_values.subject_id,
        feature_values.journey_number,
        feature_values.feature_name,
        feature_values.feature_value,
    from {{ ref('int_lead_score_values') }} as feature_values
    left join known_segments
        on
            feature_values.funnel_id = known_segments.funnel_id
            and feature_values.feature_name = known_segments.segment_name
    where
        known_segments.funnel_id is null
        and feature_values.feature_value not in ('(missing)', '(not known at entry)')
),

things_before as (
    select
        journey_id,
        to_stage_id,
        sum(times) as things,
    from behaviours
    group by all
),

lengthy_cases as (
    select
        cases.*,
        coalesce(things_before.things, 0) as things,
        {{ path_length('coalesce(things_before.things, 0)') }} as path_length,
    from cases
    left join things_before
        on
            cases.journey_id = things_before.journey_id
            and cases.to_stage_id = things_before.to_stage_id
),

-- Few cells share what would otherwise be looked up for every journey.
cell_cases as (
    select
        funnel_id,
        cell_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        path_length,
        count(*) as cases,
        count(case when has_converted then 1 end) as converted,
    from lengthy_cases
    group by all
),

step_cases as (
    select
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        path_length,
        sum(cases) as cases,
        sum(converted) as converted,
    from cell_cases
    group by all
),

attribute_cases as (
    select
        cell_cases.funnel_id,
        cell_cases.from_stage_id,
        cell_cases.to_stage_id,
        cell_cases.to_stage_position,
        cell_segments.segment_name as factor_name,
        cell_segments.segment_value as factor_value,
        cell_cases.path_length,
        sum(cell_cases.cases) as cases,
        sum(cell_cases.converted) as converted,
    from cell_cases
    inner join cell_segments
        on cell_cases.cell_id = cell_segments.cell_id
    group by all
    union all
    select
        lengthy_cases.funnel_id,
        lengthy_cases.from_stage_id,
        lengthy_cases.to_stage_id,
        lengthy_cases.to_stage_position,
        feature_values.feature_name as factor_name,
        feature_values.feature_value as factor_value,
        lengthy_cases.path_length,
        count(*) as cases,
        count(case when lengthy_cases.has_converted then 1 end) as converted,
    from lengthy_cases
    inner join feature_values
        on
            lengthy_cases.funnel_id = feature_values.funnel_id
            and lengthy_cases.subject_id = feature_values.subject_id
            and lengthy_cases.journey_number = feature_values.journey_number
    group by all
),

-- Those with any known value of the attribute, which those without the value are part of.
known_cases as (
    select
        funnel_id,
        to_stage_id,
        factor_name,
        path_length,
        sum(cases) as cases,
        sum(converted) as converted,
    from attribute_cases
    group by all
),

attribute_values as (
    select distinct
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        factor_name,
        factor_value,
    from attribute_cases
),

attribute_strata as (
    select
        attribute_values.funnel_id,
        attribute_values.from_stage_id,
        attribute_values.to_stage_id,
        attribute_values.to_stage_position,
        'attribute' as factor_kind,
        attribute_values.factor_name,
        attribute_values.factor_value,
        known_cases.path_length,
        coalesce(attribute_cases.cases, 0) as cases,
        coalesce(attribute_cases.converted, 0) as converted,
        known_cases.cases - coalesce(attribute_cases.cases, 0) as other_cases,
        known_cases.converted - coalesce(attribute_cases.converted, 0) as other_converted,
    from attribute_values
    inner join known_cases
        on
            attribute_values.funnel_id = known_cases.funnel_id
            and attribute_values.to_stage_id = known_cases.to_stage_id
            and attribute_values.factor_name = known_cases.factor_name
    left join attribute_cases
        on
            attribute_values.funnel_id = attribute_cases.funnel_id
            and attribute_values.to_stage_id = attribute_cases.to_stage_id
            and attribute_values.factor_name = attribute_cases.factor_name
            and attribute_values.factor_value = attribute_cases.factor_value
            and known_cases.path_length = attribute_cases.path_length
),

-- Whoever did a thing has a path that is longer by it: so both are compared by what else they did.
behaviour_cases as (
    select
        lengthy_cases.funnel_id,
        lengthy_cases.from_stage_id,
        lengthy_cases.to_stage_id,
        lengthy_cases.to_stage_position,
        behaviours.evidence_type as factor_name,
        behaviours.evidence_name as factor_value,
        {{ path_length('lengthy_cases.things - behaviours.times') }} as path_length,
        lengthy_cases.path_length as whole_path_length,
        count(*) as cases,
        count(case when lengthy_cases.has_converted then 1 end) as converted,
    from behaviours
    inner join lengthy_cases
        on
            behaviours.journey_id = lengthy_cases.journey_id
            and behaviours.to_stage_id = lengthy_cases.to_stage_id
    group by all
),

ranked_behaviours as (
    select
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        factor_name,
        factor_value,
        row_number() over (
            partition by funnel_id, to_stage_id
            order by sum(cases) desc, factor_name asc, factor_value asc
        ) as behaviour_rank,
    from behaviour_cases
    group by funnel_id, from_stage_id, to_stage_id, to_stage_position, factor_name, factor_value
),

frequent_behaviours as (
    select
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        factor_name,
        factor_value,
    from ranked_behaviours
    where behaviour_rank <= {{ behaviours_of_a_stage }}
),

-- Those who did not do it are all but those who did, each in the stratum of their whole path.
behaviour_counts as (
    select
        frequent_behaviours.*,
        step_cases.path_length,
        0 as cases,
        0 as converted,
        step_cases.cases as other_cases,
        step_cases.converted as other_converted,
    from frequent_behaviours
    inner join step_cases
        on
            frequent_behaviours.funnel_id = step_cases.funnel_id
            and frequent_behaviours.to_stage_id = step_cases.to_stage_id
    union all
    select
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        factor_name,
        factor_value,
        whole_path_length as path_length,
        0 as cases,
        0 as converted,
        -cases as other_cases,
        -converted as other_converted,
    from behaviour_cases
    union all
    select
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        factor_name,
        factor_value,
        path_length,
        cases,
        converted,
        0 as other_cases,
        0 as other_converted,
    from behaviour_cases
),

behaviour_strata as (
    select
        behaviour_counts.funnel_id,
        behaviour_counts.from_stage_id,
        behaviour_counts.to_stage_id,
        behaviour_counts.to_stage_position,
        'behaviour' as factor_kind,
        behaviour_counts.factor_name,
        behaviour_counts.factor_value,
        behaviour_counts.path_length,
        sum(behaviour_counts.cases) as cases,
        sum(behaviour_counts.converted) as converted,
        sum(behaviour_counts.other_cases) as other_cases,
        sum(behaviour_counts.other_converted) as other_converted,
    from behaviour_counts
    inner join frequent_behaviours
        on
            behaviour_counts.funnel_id = frequent_behaviours.funnel_id
            and behaviour_counts.to_stage_id = frequent_behaviours.to_stage_id
            and behaviour_counts.factor_name = frequent_behaviours.factor_name
            and behaviour_counts.factor_value = frequent_behaviours.factor_value
    group by all
),

strata as (
    select * from attribute_strata
    union all
    select * from behaviour_strata
)

select
    funnel_id,
    from_stage_id,
    to_stage_id,
    to_stage_position,
    factor_kind,
    factor_name,
    factor_value,
    path_length,
    cast(cases as bigint) as cases,
    cast(converted as bigint) as converted,
    cast(other_cases as bigint) as other_cases,
    cast(other_converted as bigint) as other_converted,
from strata
