{{ config(**kept_by_subject()) }}

with

ended_journeys as (
    select
        journeys.*,
        subjects.subject_id,
        case when journeys.is_record then subjects.subject_id end as own_record_id,
    from {{ ref('int_journey_outcomes') }} as journeys
    inner join {{ ref('int_touched_subjects') }} as subjects
        on journeys.subject_key = subjects.subject_key
),

evidence_amounts as (
    select
        file_number,
        source_row,
        amount,
        currency,
        loss_reason,
    from {{ ref('int_evidence_amounts') }}
),

record_amounts as (
    select
        record_id,
        amount,
        currency,
        loss_reason,
    from {{ ref('int_surviving_records') }}
)

select
    ended_journeys.funnel_id,
    ended_journeys.subject_id,
    ended_journeys.journey_number,
    ended_journeys.entry_stage_id,
    ended_journeys.held_value,
    ended_journeys.furthest_stage_position,
    ended_journeys.outcome,
    ended_journeys.was_won,
    ended_journeys.entered_at,
    ended_journeys.window_ends_at,
    ended_journeys.ended_at,
    case
        when ended_journeys.is_record then subject_records.amount
        when ended_journeys.outcome != 'won' then null
        when ended_journeys.won_record_id is not null then winning_records.amount
        else winning_evidence.amount
    end as source_amount,
    case
        when ended_journeys.is_record then subject_records.currency
        when ended_journeys.won_record_id is not null then winning_records.currency
        else winning_evidence.currency
    end as source_currency,
    case ended_journeys.outcome
        when 'lost'
            then case
                when ended_journeys.is_record then subject_records.loss_reason
                else losing_evidence.loss_reason
            end
    end as loss_reason,
from ended_journeys
left join record_amounts as subject_records
    on ended_journeys.own_record_id = subject_records.record_id
left join record_amounts as winning_records
    on ended_journeys.won_record_id = winning_records.record_id
left join evidence_amounts as winning_evidence
    on
        ended_journeys.won_file_number = winning_evidence.file_number
        and ended_journeys.won_source_row = winning_evidence.source_row
left join evidence_amounts as losing_evidence
    on
        ended_journeys.lost_file_number = losing_evidence.file_number
        and ended_journeys.lost_source_row = losing_evidence.source_row
