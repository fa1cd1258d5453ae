{%- set kinds = {
    'call': 'calls', 'email': 'emails', 'meeting': 'meetings', 'note': 'notes', 'task': 'tasks',
} -%}
{#- A ticket is two activities, each with an id of its own and the instant that makes it one. -#}
{%- set ticket_activities = {
    'ticket': {
        'id': "'ticket:' || id",
        'occurred_at': 'coalesce(' ~ hubspot_property('createdate') ~ ', created_at)',
    },
    'ticket_closed': {
        'id': "'ticket:' || id || ':closed'",
        'occurred_at': hubspot_property('closed_date'),
    },
} %}

with

engagements as (
    select * from {{ source('hubspot', 'engagement') }}
    {{ union_by_name() }}
    select * from {{ source('hubspot', 'engagements') }}
),

details as (
    {%- for kind, kinds_name in kinds.items() %}
        select
            '{{ kind }}' as activity_type,
            *,
        from {{ source('hubspot', 'engagement_' ~ kind) }}
        {{ union_by_name() }}
        select
            '{{ kind }}' as activity_type,
            *,
        from {{ source('hubspot', 'engagements_' ~ kinds_name) }}
        {{ union_by_name() if not loop.last }}
    {%- endfor %}
),

tickets as (
    select * from {{ source('hubspot', 'ticket') }}
    {{ union_by_name() }}
    select * from {{ source('hubspot', 'tickets') }}
),

delivered_activities as (
    select
        id as activity_id,
        id as associated_id,
        lower(type) as activity_type,
        owner_id,
        false as has_details,
        {{ json_text('associations', 'dealIds') }} as deal_ids,
        {{ json_text('associations', 'contactIds') }} as contact_ids,
        {{ hubspot_is_true(['_fivetran_deleted']) }} as is_deleted,
        {{ connector_instant('coalesce(timestamp, created_at)') }} as occurred_at,
        coalesce({{ hubspot_synced_at() }}, {{ connector_instant('last_updated') }}) as updated_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from engagements
    union all
    select
        coalesce(engagement_id, id) as activity_id,
        coalesce(engagement_id, id) as associated_id,
        activity_type,
        {{ hubspot_property('hubspot_owner_id') }} as owner_id,
        true as has_details,
        deals as deal_ids,
        contacts as contact_ids,
        {{ hubspot_is_true(['_fivetran_deleted', 'archived']) }} as is_deleted,
        {{ connector_instant(
            "coalesce(" ~ hubspot_property('hs_timestamp') ~ ", "
            ~ hubspot_property('hs_createdate') ~ ", created_at)"
        ) }} as occurred_at,
        coalesce(
            {{ hubspot_synced_at() }},
            {{ connector_instant(
                "coalesce(" ~ hubspot_property('hs_lastmodifieddate') ~ ", updated_at)"
            ) }}
        ) as updated_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from details
    {%- for activity_type, one in ticket_activities.items() %}
        union all
        select
            {{ one['id'] }} as activity_id,
            'ticket:' || id as associated_id,
            '{{ activity_type }}' as activity_type,
            {{ hubspot_property('hubspot_owner_id') }} as owner_id,
            {{ 'true' if activity_type == 'ticket' else 'false' }} as has_details,
            deals as deal_ids,
            contacts as contact_ids,
            {{ hubspot_is_true(['_fivetran_deleted', 'is_deleted', 'archived']) }} as is_deleted,
            {{ connector_instant(one['occurred_at']) }} as occurred_at,
            coalesce(
                {{ hubspot_synced_at() }},
                {{ connector_instant(
                    "coalesce(" ~ hubspot_property('hs_lastmodifieddate') ~ ", updated_at)"
                ) }}
            ) as updated_at,
            _source,
            _file,
            _row,
            _load_id,
            _delivered_at,
            _plausible_until,
            _is_current,
        from tickets
    {%- endfor %}
),

current_activities as (
    select * from {{ current_rows('delivered_activities', 'activity_id', [
        'has_details', 'try_cast(updated_at as timestamp)',
    ]) }}
),

associations as (
    {%- for object_type in ['deal', 'contact'] %}
        {%- for kind, associated_id in {
            'engagement': 'engagement_id',
            'ticket': "'ticket:' || ticket_id",
        }.items() %}
            select
                _source,
                {{ associated_id }} as associated_id,
                '{{ object_type }}' as object_type,
                {{ object_type }}_id as object_id,
            from {{ current_rows(
                source('hubspot', kind ~ '_' ~ object_type),
                kind ~ '_id, ' ~ object_type ~ '_id',
                ["try_cast(_fivetran_synced as timestamp)"],
            ) }}
            where not {{ hubspot_is_true(['_fivetran_deleted']) }}
            union all
        {%- endfor %}
        select
            _source,
            associated_id,
            '{{ object_type }}' as object_type,
            {{ exploded(json_items(object_type ~ '_ids')) }} as object_id,
        from current_activities
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- An activity counts once, whatever it is associated with.
first_associations as (
    select
        _source,
        associated_id,
        object_type,
        object_id,
    from associations
    qualify row_number() over (
        partition by _source, associated_id, object_type
        order by length(object_id), object_id
    ) = 1
),

subjects as (
    select
        _source,
        associated_id,
        max(object_id) filter (where object_type = 'deal') as deal_id,
        max(object_id) filter (where object_type = 'contact') as contact_id,
    from first_associations
    group by all
),

leads as (
    select * from {{ ref('base_hubspot__leads') }}
),

survivors as (
    select * from {{ ref('base_hubspot__merges') }}
)

select
    current_activities.activity_id,
    current_activities.occurred_at,
    current_activities.activity_type,
    -- What is about no deal is about the lead that the contact is.
    coalesce(
        surviving_deals.merged_into_id,
        subjects.deal_id,
        'contact:' || coalesce(surviving_contacts.merged_into_id, leads.contact_id)
    ) as record_id,
    subjects.contact_id,
    current_activities.owner_id,
    current_activities.updated_at,
    current_activities._source,
    current_activities._file,
    current_activities._row,
    current_activities._load_id,
    current_activities._delivered_at,
    current_activities._plausible_until,
    current_activities._is_current,
from current_activities
-- What is about neither a deal nor a contact is no activity of the funnel.
inner join subjects
    on
        current_activities._source = subjects._source
        and current_activities.associated_id = subjects.associated_id
left join survivors as surviving_deals
    on
        subjects._source = surviving_deals._source
        and surviving_deals.object_type = 'deal'
        and subjects.deal_id = surviving_deals.merged_id
left join leads
    on
        subjects._source = leads._source
        and subjects.contact_id = leads.contact_id
left join survivors as surviving_contacts
    on
        leads._source = surviving_contacts._source
        and surviving_contacts.object_type = 'contact'
        and leads.contact_id = surviving_contacts.merged_id
where
    not current_activities.is_deleted
    -- A row without an instant stands for details that were not delivered, or an open ticket.
    and (current_activities.has_details or current_activities.occurred_at is not null)
