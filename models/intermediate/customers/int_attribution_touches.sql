{%- set channels_apart = 30 -%}

with

journeys as (
    select
        attribution_id,
        funnel_id,
        subject_id,
        journey_number,
        party_id,
        is_conversion,
        month_date,
        path_begins_at,
        path_ended_at,
        amount,
    from {{ ref('int_attributed_journeys') }}
    where path_ended_at is not null
),

touchpoints as (
    select
        touch_type,
        touch_id,
        person_id,
        account_id,
        channel,
        touched_at,
    from {{ ref('int_touchpoints') }}
),

-- A session of two persons of one account is one of the account's.
account_touches as (
    select distinct
        touch_type,
        touch_id,
        account_id,
        channel,
        touched_at,
    from touchpoints
    where account_id is not null
),

party_touches as (
    select
        'person:' || person_id as party_id,
        channel,
        touched_at,
    from touchpoints
    union all
    select
        'account:' || account_id as party_id,
        channel,
        touched_at,
    from account_touches
),

touches as (
    select
        journeys.attribution_id,
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        journeys.is_conversion,
        journeys.month_date,
        journeys.amount,
        party_touches.channel,
        party_touches.touched_at,
    from journeys
    inner join party_touches
        on
            journeys.party_id = party_touches.party_id
            and journeys.path_begins_at <= party_touches.touched_at
            and journeys.path_ended_at >= party_touches.touched_at
),

channels as (
    select
        attribution_id,
        channel,
        count(*) as touches,
    from touches
    group by all
),

-- The removal effect takes a matrix with a row and a column for each channel.
rare_channels as (
    select
        attribution_id,
        channel,
    from channels
    qualify
        row_number() over (
            partition by attribution_id
            order by touches desc, channel asc
        ) > {{ channels_apart }}
),

named_touches as (
    select
        touches.attribution_id,
        touches.funnel_id,
        touches.subject_id,
        touches.journey_number,
        touches.is_conversion,
        touches.month_date,
        touches.amount,
        case
            when rare_channels.channel is null then touches.channel
            else '(other channels)'
        end as channel,
        touches.touched_at,
    from touches
    left join rare_channels
        on
            touches.attribution_id = rare_channels.attribution_id
            and touches.channel = rare_channels.channel
)

select
    attribution_id,
    funnel_id,
    subject_id,
    journey_number,
    row_number() over path as touch_number,
    count(*) over whole_path as touches,
    is_conversion,
    month_date,
    amount,
    channel,
    lead(channel) over path as next_channel,
    touched_at,
    max(touched_at) over whole_path as last_touched_at,
from named_touches
window
    path as (
        partition by attribution_id, funnel_id, subject_id, journey_number
        order by touched_at, channel
    ),
    whole_path as (partition by attribution_id, funnel_id, subject_id, journey_number)
