{%- set delivery -%}
    _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
{%- endset -%}

with

opportunities as (
    select * from {{ source('salesforce', 'opportunity') }}
),

opportunity_history as (
    select * from {{ source('salesforce', 'opportunity_history') }}
),

opportunity_field_history as (
    select * from {{ source('salesforce', 'opportunity_field_history') }}
),

leads as (
    select * from {{ source('salesforce', 'lead') }}
),

lead_history as (
    select * from {{ source('salesforce', 'lead_history') }}
),

-- Fivetran's history mode.
versions as (
    select
        'opportunity' as record_type,
        id as record_id,
        stage_name as stage,
        amount,
        owner_id,
        created_date,
        last_stage_change_date,
        _fivetran_start,
        {{ delivery }}
    from opportunity_history
    where opportunity_id is null

    union all

    select
        'opportunity' as record_type,
        id as record_id,
        stage_name as stage,
        amount,
        owner_id,
        created_date,
        last_stage_change_date,
        _fivetran_start,
        {{ delivery }}
    from opportunities
    where _fivetran_start is not null

    union all

    select
        'lead' as record_type,
        id as record_id,
        status as stage,
        null as amount,
        owner_id,
        created_date,
        null as last_stage_change_date,
        _fivetran_start,
        {{ delivery }}
    from leads
    where _fivetran_start is not null
),

dated_versions as (
    select
        *,
        try_cast(_fivetran_start as timestamp) as started_at,
        coalesce(last_stage_change_date, created_date) as known_since,
        min(try_cast(_fivetran_start as timestamp)) over (
            partition by _source, record_type, record_id, _is_current
        ) as first_started_at,
    from versions
),

changes as (
    select
        1 as preference,
        'opportunity' as record_type,
        opportunity_id as record_id,
        stage_name as stage,
        null as previous_stage,
        amount,
        null as owner_id,
        created_date as changed_at,
        {{ delivery }}
    from opportunity_history
    where opportunity_id is not null

    union all

    select
        2 as preference,
        record_type,
        record_id,
        stage,
        null as previous_stage,
        amount,
        owner_id,
        -- The first version began when the history was switched on; its stage is older than that.
        case
            when started_at = first_started_at and try_cast(known_since as timestamp) < started_at
                then known_since
            else _fivetran_start
        end as changed_at,
        {{ delivery }}
    from dated_versions

    union all

    select
        3 as preference,
        'opportunity' as record_type,
        opportunity_id as record_id,
        new_value as stage,
        old_value as previous_stage,
        null as amount,
        null as owner_id,
        created_date as changed_at,
        {{ delivery }}
    from opportunity_field_history
    where {{ snake_case('field') }} = 'stage_name'

    union all

    select
        1 as preference,
        'lead' as record_type,
        lead_id as record_id,
        new_value as stage,
        old_value as previous_stage,
        null as amount,
        null as owner_id,
        created_date as changed_at,
        {{ delivery }}
    from lead_history
    where {{ snake_case('field') }} = 'status'
),

-- What one delivery tells of a change and the next does not is told by the next.
compared_changes as (
    select
        *,
        min(preference) over (
            partition by _source, record_type, record_id, _is_current
        ) as best_preference,
        max(_delivered_at) over (
            partition by _source, record_type, record_id, stage, changed_at, _is_current
        ) as last_delivered_at,
        {{ content_hash(['amount', 'owner_id']) }} as content_hash,
        last_value({{ content_hash(['amount', 'owner_id']) }}) over (
            partition by _source, record_type, record_id, stage, changed_at, _is_current
            order by _delivered_at, _file, _row
            rows between unbounded preceding and unbounded following
        ) as last_content_hash,
    from changes
)

select
    record_type,
    record_id,
    stage,
    previous_stage,
    amount,
    owner_id,
    changed_at,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current
    and (_delivered_at = last_delivered_at or content_hash = last_content_hash) as _is_current,
from compared_changes
where preference = best_preference
