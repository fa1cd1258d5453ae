with

run as (
    select as_of from {{ ref('int_run') }}
),

funnels as (
    select
        funnel_id,
        window_hours,
    from {{ ref('funnels') }}
),

-- By its path: a number is another one when more files come.
source_files as (
    select
        source_file,
        file_number,
        {{ narrow_hash(['source_file']) }} as file_hash,
    from {{ ref('int_source_files') }}
),

attribute_histories as (
    select
        record_id,
        {{ summed_hashes(narrow_hash(['attribute', 'attribute_value', 'known_from'])) }}
            as history_hash,
    from {{ ref('int_attribute_history') }}
    group by record_id
),

records as (
    select
        records.record_id,
        {{ narrow_hash([
            'records.amount', 'records.currency', 'records.loss_reason', 'records.attributes',
            'attribute_histories.history_hash',
        ]) }} as record_hash,
    from {{ ref('int_surviving_records') }} as records
    left join attribute_histories
        on records.record_id = attribute_histories.record_id
),

purchases as (
    select
        source_files.file_number,
        purchases.source_row,
        {{ narrow_hash(['purchases.amount', 'purchases.currency']) }} as purchase_hash,
    from {{ ref('int_purchases') }} as purchases
    inner join source_files
        on purchases.source_file = source_files.source_file
),

sessions as (
    select
        session_id,
        {{ narrow_hash([
            'channel', 'landing_page', 'referrer_host',
            'campaign_source', 'campaign_medium', 'campaign_name',
        ]) }} as session_hash,
    from {{ ref('dim_sessions') }}
),

funnels_by_session as (
    select distinct funnel_id,
    from {{ ref('dim_segments') }}
    where attribute like 'session\_%' escape '\'
),

inputs as (
    select
        subject_key,
        funnel_id,
        subject_id,
        session_id,
        record_id,
        file_number,
        source_row,
        {{ narrow_hash([
            'stage_id', 'evidence_name', 'evidence', 'held_value', 'source_sequence',
            'content_number', 'may_meet_several',
        ]) }} as entry_hash,
        entered_at,
    from {{ ref('int_stage_entries') }}

    union all

    select
        subject_key,
        funnel_id,
        subject_id,
        cast(null as varchar) as session_id,
        record_id,
        file_number,
        source_row,
        {{ narrow_hash(['evidence_name', 'evidence', 'source_sequence', 'content_number']) }}
            as entry_hash,
        occurred_at as entered_at,
    from {{ ref('int_watched_events') }}
),

hashed_inputs as (
    select
        inputs.subject_key,
        inputs.funnel_id,
        inputs.subject_id,
        {{ narrow_hash([
            'source_files.file_hash', 'inputs.source_row', 'inputs.entry_hash',
            'inputs.entered_at',
            hours_after('inputs.entered_at', 'funnels.window_hours') ~ ' < run.as_of',
            'inputs.record_id', 'records.record_hash', 'purchases.purchase_hash',
            'sessions.session_hash',
        ]) }} as input_hash,
    from inputs
    cross join run
    inner join funnels
        on inputs.funnel_id = funnels.funnel_id
    inner join source_files
        on inputs.file_number = source_files.file_number
    left join purchases
        on
            inputs.file_number = purchases.file_number
            and inputs.source_row = purchases.source_row
    left join records
        on inputs.record_id = records.record_id
    left join funnels_by_session
        on inputs.funnel_id = funnels_by_session.funnel_id
    left join sessions
        on
            case when funnels_by_session.funnel_id is not null then inputs.session_id end
            = sessions.session_id
),

subjects as (
    select distinct
        subject_key,
        funnel_id,
        subject_id,
    from inputs
),

customer_inputs as (
    select
        subjects.subject_key,
        subjects.funnel_id,
        subjects.subject_id,
        {{ narrow_hash([
            'customer_history.attribute', 'customer_history.attribute_value',
            'customer_history.known_after',
        ]) }} as input_hash,
    from subjects
    inner join {{ ref('int_customer_history') }} as customer_history
        on subjects.subject_key = customer_history.subject_key
),

all_inputs as (
    select * from hashed_inputs
    union all
    select * from customer_inputs
)

select
    subject_key,
    funnel_id,
    subject_id,
    {{ summed_hashes('input_hash') }} as input_hash,
from all_inputs
group by subject_key, funnel_id, subject_id
