{{ config(materialized='view') }}

{%- set session_attributes = {} -%}
{%- for column in [
    'channel', 'landing_page', 'referrer_host',
    'campaign_source', 'campaign_medium', 'campaign_name',
] %}
    {%- do session_attributes.update({'session_' ~ column: column}) %}
{%- endfor %}

with

run as (
    select
        as_of,
        reporting_currency,
    from {{ ref('int_run') }}
),

segment_bands as (
    select
        segment_name,
        band_name,
        coalesce(currency, '') as currency,
        at_least,
    from {{ ref('segment_bands') }}
),

banded_segments as (
    select
        segment_name,
        bool_or(currency != '') as is_by_currency,
    from segment_bands
    group by segment_name
),

-- In any other currency nothing says what is much.
banded_currencies as (
    select distinct
        segment_name,
        currency,
    from segment_bands
),

segments as (
    select
        dim_segments.funnel_id,
        dim_segments.segment_name,
        dim_segments.attribute,
        {{ is_customer_attribute('dim_segments.attribute') }} as is_of_customer,
        dim_segments.attribute in (
            {%- for attribute in session_attributes %}
                '{{ attribute }}'{{ ',' if not loop.last }}
            {%- endfor %}
        ) as is_of_session,
        dim_segments.taken_at,
        case
            when dim_segments.taken_at in ('entry', 'stage') then dim_segments.taken_at
            else 'journey'
        end as needs,
        dim_segments.stage_id,
        banded_segments.segment_name is not null as is_banded,
    from {{ ref('dim_segments') }} as dim_segments
    left join banded_segments
        on dim_segments.segment_name = banded_segments.segment_name
),

event_attributes as (
    select
        source_files.file_number,
        events.source_row,
        events.session_id,
        events.properties as attributes,
    from {{ ref('int_events') }} as events
    inner join {{ ref('int_source_files') }} as source_files
        on events.source_file = source_files.source_file
),

-- What a session is like, each under the name by which a segment asks for it.
session_attributes as (
    select
        session_id,
        {{ json_of_values(session_attributes) }} as attributes,
    from {{ ref('dim_sessions') }}
),

record_attributes as (
    select
        record_id,
        attributes,
    from {{ ref('int_surviving_records') }}
),

attribute_history as (
    select
        record_id,
        attribute,
        attribute_value,
        known_from,
    from {{ ref('int_attribute_history') }}
),

event_entries as (
    select
        segment_entries.funnel_id,
        segment_entries.subject_key,
        segment_entries.journey_number,
        segment_entries.needed_for,
        segment_entries.stage_id,
        segment_entries.event_number,
        segment_entries.tie_position,
        segment_entries.entered_at,
        event_attributes.session_id,
        event_attributes.attributes,
    from {{ ref('int_segment_entries') }} as segment_entries
    left join event_attributes
        on
            segment_entries.file_number = event_attributes.file_number
            and segment_entries.source_row = event_attributes.source_row
    where segment_entries.record_id is null
),

customer_history as (
    select
        subject_key,
        attribute,
        attribute_value,
        known_after,
    from {{ ref('int_customer_history') }}
),

-- Where an entry has no date, its record or customer is known as it is at the as-of. Whether of an
-- event, an order or a record, an entry is of the customer behind its subject.
told_entries as (
    select
        segment_entries.funnel_id,
        segment_entries.subject_key,
        segment_entries.journey_number,
        segments.segment_name,
        segments.attribute,
        segments.is_of_customer,
        segments.is_banded,
        segments.taken_at,
        segment_entries.needed_for,
        segment_entries.event_number,
        segment_entries.tie_position,
        segment_entries.record_id,
        coalesce(segment_entries.entered_at, run.as_of) as known_at,
        segment_entries.next_entered_at,
        run.reporting_currency,
    from {{ ref('int_segment_entries') }} as segment_entries
    inner join segments
        on
            segment_entries.funnel_id = segments.funnel_id
            and segment_entries.needed_for = segments.needs
            and segment_entries.stage_id is not distinct from segments.stage_id
    cross join run
    where segment_entries.record_id is not null or segments.is_of_customer
),

record_entries as (
    select * from told_entries
    where not is_of_customer
),

customer_entries as (
    select * from told_entries
    where is_of_customer
),

event_values as (
    select
        event_entries.funnel_id,
        event_entries.subject_key,
        event_entries.journey_number,
        segments.segment_name,
        segments.is_banded,
        segments.taken_at,
        event_entries.needed_for,
        case
            when segments.is_of_session
                then {{ json_text_at('session_attributes.attributes', 'segments.attribute') }}
            else {{ json_text_at('event_entries.attributes', 'segments.attribute') }}
        end as attribute_value,
        case
            when segments.is_banded then {{ json_text('event_entries.attributes', 'currency') }}
        end as currency,
        false as is_field_change,
        event_entries.tie_position,
        event_entries.event_number,
        cast(null as varchar) as record_id,
        event_entries.entered_at as known_at,
    from event_entries
    inner join segments
        on
            event_entries.funnel_id = segments.funnel_id
            and event_entries.needed_for = segments.needs
            and event_entries.stage_id is not distinct from segments.stage_id
    left join session_attributes
        on
            case when segments.is_of_session then event_entries.session_id end
            = session_attributes.session_id
    where not segments.is_of_customer
),

record_values as (
    select
        record_entries.funnel_id,
        record_entries.subject_key,
        record_entries.journey_number,
        record_entries.segment_name,
        record_entries.is_banded,
        record_entries.taken_at,
        record_entries.needed_for,
        case
            when attribute_history.record_id is not null then attribute_history.attribute_value
            else {{ json_text_at('record_attributes.attributes', 'record_entries.attribute') }}
        end as attribute_value,
        case
            when record_entries.is_banded
                then {{ json_text('record_attributes.attributes', 'currency') }}
        end as currency,
        false as is_field_change,
        record_entries.tie_position,
        record_entries.event_number,
        record_entries.record_id,
        record_entries.known_at,
    from record_entries
    asof left join attribute_history
        on
            record_entries.record_id = attribute_history.record_id
            and record_entries.attribute = attribute_history.attribute
            and record_entries.known_at >= attribute_history.known_from
    left join record_attributes
        on record_entries.record_id = record_attributes.record_id
),

records_of_journeys as (
    select
        funnel_id,
        subject_key,
        journey_number,
        segment_name,
        attribute,
        is_banded,
        taken_at,
        record_id,
        min(next_entered_at) as next_entered_at,
        min(known_at) as first_known_at,
    from record_entries
    where needed_for = 'journey'
    group by all
),

record_changes as (
    select
        records_of_journeys.funnel_id,
        records_of_journeys.subject_key,
        records_of_journeys.journey_number,
        records_of_journeys.segment_name,
        records_of_journeys.is_banded,
        records_of_journeys.taken_at,
        'journey' as needed_for,
        attribute_history.attribute_value,
        case
            when records_of_journeys.is_banded
                then {{ json_text('record_attributes.attributes', 'currency') }}
        end as currency,
        true as is_field_change,
        0 as tie_position,
        0 as event_number,
        records_of_journeys.record_id,
        attribute_history.known_from as known_at,
    from records_of_journeys
    inner join attribute_history
        on
            records_of_journeys.record_id = attribute_history.record_id
            and records_of_journeys.attribute = attribute_history.attribute
            and records_of_journeys.first_known_at < attribute_history.known_from
    left join record_attributes
        on records_of_journeys.record_id = record_attributes.record_id
    where
        records_of_journeys.next_entered_at is null
        or attribute_history.known_from < records_of_journeys.next_entered_at
),

customer_values as (
    select
        customer_entries.funnel_id,
        customer_entries.subject_key,
        customer_entries.journey_number,
        customer_entries.segment_name,
        customer_entries.is_banded,
        customer_entries.taken_at,
        customer_entries.needed_for,
        customer_history.attribute_value,
        customer_entries.reporting_currency as currency,
        false as is_field_change,
        customer_entries.tie_position,
        customer_entries.event_number,
        customer_entries.record_id,
        customer_entries.known_at,
    from customer_entries
    -- An order at the instant of the entry comes of the journey, and is not before it.
    asof left join customer_history
        on
            customer_entries.subject_key = customer_history.subject_key
            and customer_entries.attribute = customer_history.attribute
            and customer_entries.known_at > customer_history.known_after
),

spelled_values as (
    select * from event_values
    union all
    select * from record_values
    union all
    select * from record_changes
    union all
    select * from customer_values
),

numbered_values as (
    select
        spelled_values.*,
        try_cast(spelled_values.attribute_value as decimal(18, 4)) as number,
        case
            when banded_segments.is_by_currency
                then coalesce(spelled_values.currency, run.reporting_currency)
            else ''
        end as band_currency,
    from spelled_values
    cross join run
    inner join banded_segments
        on spelled_values.segment_name = banded_segments.segment_name
    where spelled_values.is_banded
),

all_values as (
    select
        funnel_id,
        subject_key,
        journey_number,
        segment_name,
        taken_at,
        needed_for,
        attribute_value,
        is_field_change,
        tie_position,
        event_number,
        record_id,
        known_at,
    from spelled_values
    where not is_banded

    union all

    select
        numbered_values.funnel_id,
        numbered_values.subject_key,
        numbered_values.journey_number,
        numbered_values.segment_name,
        numbered_values.taken_at,
        numbered_values.needed_for,
        case
            when numbered_values.number is null or banded_currencies.currency is null then null
            else coalesce(segment_bands.band_name, '(below)')
        end as attribute_value,
        numbered_values.is_field_change,
        numbered_values.tie_position,
        numbered_values.event_number,
        numbered_values.record_id,
        numbered_values.known_at,
    from numbered_values
    left join banded_currencies
        on
            numbered_values.segment_name = banded_currencies.segment_name
            and numbered_values.band_currency = banded_currencies.currency
    asof left join segment_bands
        on
            numbered_values.segment_name = segment_bands.segment_name
            and numbered_values.band_currency = segment_bands.currency
            and coalesce(numbered_values.number, 0) >= segment_bands.at_least
)

select
    funnel_id,
    subject_key,
    journey_number,
    segment_name,
    taken_at,
    needed_for,
    attribute_value,
    is_field_change,
    tie_position,
    event_number,
    record_id,
    known_at,
from all_values
