with

stage_rules as (
    select
        funnel_id,
        stage_id,
        stage_position,
        stage_kind,
        pipeline,
        match_type,
        match_value,
        valid_from,
        valid_to,
    from {{ ref('int_stage_rules') }}
    where rule_type = 'opportunity_stage'
),

funnels as (
    select
        funnel_id,
        tie_policy,
        collapse_repeats,
    from {{ ref('dim_funnels') }}
    where {{ is_of_deals() }}
),

-- A deletion that nobody dated leaves no day on which the record was there.
deleted_stages as (
    select
        record_id,
        pipeline,
        stage,
        source_file,
        source_row,
        source_sequence,
        is_creation,
        may_repeat_creation,
        entered_at,
        deleted_at,
    from {{ ref('int_record_histories') }}
    where
        is_deleted
        and record_type = 'opportunity'
        and entered_at < deleted_at
),

entries as (
    select
        funnels.funnel_id,
        funnels.tie_policy,
        funnels.collapse_repeats,
        deleted_stages.record_id,
        stage_rules.stage_id,
        stage_rules.stage_position,
        stage_rules.stage_kind,
        deleted_stages.source_file,
        deleted_stages.source_row,
        deleted_stages.source_sequence,
        deleted_stages.entered_at,
        deleted_stages.deleted_at,
    from deleted_stages
    inner join stage_rules
        on stage_rules.pipeline is null or deleted_stages.pipeline = stage_rules.pipeline
    inner join funnels
        on stage_rules.funnel_id = funnels.funnel_id
    where
        case
            when deleted_stages.is_creation then stage_rules.stage_position = 1
            else
                {{ matches_rule(
                    'deleted_stages.stage', 'stage_rules.match_type', 'stage_rules.match_value'
                ) }}
                and (
                    not deleted_stages.may_repeat_creation
                    or stage_rules.stage_position is distinct from 1
                )
                and (
                    stage_rules.valid_from is null
                    or {{ reporting_date('deleted_stages.entered_at') }} >= stage_rules.valid_from
                )
                and (
                    stage_rules.valid_to is null
                    or {{ reporting_date('deleted_stages.entered_at') }} <= stage_rules.valid_to
                )
        end
),

numbered_entries as (
    select
        *,
        row_number() over (
            partition by funnel_id, record_id
            order by
                entered_at,
                case tie_policy when 'funnel_order' then coalesce(stage_position, 33) else 0 end,
                source_file,
                source_row,
                source_sequence,
                stage_position nulls last,
                stage_id
        ) as entry_number,
    from entries
),

entries_with_previous as (
    select
        *,
        lag(stage_id) over (partition by funnel_id, record_id order by entry_number)
            as previous_stage_id,
    from numbered_entries
)

select
    funnel_id,
    record_id as deal_id,
    entry_number as visit_number,
    stage_id,
    stage_position,
    stage_kind,
    entered_at,
    deleted_at,
from entries_with_previous
where not collapse_repeats or previous_stage_id is null or previous_stage_id != stage_id
