with

deals as (
    select * from {{ ref('base_hubspot__deals') }}
),

stages as (
    select * from {{ ref('base_hubspot__stages') }}
),

pipelines as (
    select * from {{ ref('base_hubspot__pipelines') }}
),

deal_associations as (
    select * from {{ ref('base_hubspot__deal_associations') }}
),

contacts as (
    select * from {{ ref('base_hubspot__contacts') }}
),

current_contacts as (
    select * from {{ current_rows(
        ref('base_hubspot__contacts'), 'contact_id', ['try_cast(updated_at as timestamp)']
    ) }}
),

survivors as (
    select * from {{ ref('base_hubspot__merges') }}
),

contacts_in_funnels as (
    select * from {{ ref('base_hubspot__leads') }}
),

first_deals as (
    select
        deal_associations._source,
        deal_associations.contact_id,
        min_by(deals.deal_id, try_cast(deals.created_at as timestamp)) as deal_id,
    from deal_associations
    inner join deals
        on
            deal_associations._source = deals._source
            and deal_associations.deal_id = deals.deal_id
            and deals._is_current
    where deal_associations.contact_id is not null
    group by all
),

deals_in_stages as (
    select
        deals.*,
        coalesce(pipelines.pipeline, deals.pipeline_id) as pipeline,
        coalesce(stages.stage, deals.stage_id) as stage,
        coalesce(
            stages.is_closed,
            deals.is_closed,
            deals.stage_id in ('closedwon', 'closedlost')
        )
        -- What is still to come is a plan, also of a deal that is closed.
        and coalesce(try_cast(deals.close_date as timestamp) <= deals._plausible_until, true)
            as is_closed_by_now,
        coalesce(stages.is_closed, deals.is_closed) as stage_is_closed,
        coalesce(stages.is_won, deals.is_won) as stage_is_won,
        stages.probability as stage_probability,
        coalesce(deals.company_id, deal_associations.company_id) as account_id,
        current_contacts.email as contact_email,
        survivors.merged_into_id,
    from deals
    left join stages
        on deals._source = stages._source and deals.stage_id = stages.stage_id
    left join pipelines
        on deals._source = pipelines._source and deals.pipeline_id = pipelines.pipeline_id
    left join deal_associations
        on
            deals._source = deal_associations._source
            and deals.deal_id = deal_associations.deal_id
    left join current_contacts
        on
            deal_associations._source = current_contacts._source
            and deal_associations.contact_id = current_contacts.contact_id
    left join survivors
        on
            deals._source = survivors._source
            and deals.deal_id = survivors.merged_id
            and survivors.object_type = 'deal'
),

opportunities as (
    select
        deal_id as record_id,
        'opportunity' as record_type,
        pipeline,
        name,
        stage,
        currency,
        owner_id,
        account_id,
        contact_email,
        lead_source,
        region,
        loss_reason,
        cast(null as {{ dbt.type_string() }}) as converted_record_id,
        merged_into_id,
        cast(is_deleted as {{ dbt.type_string() }}) as is_deleted,
        case when not is_closed_by_now then left(close_date, 10) end as expected_close_date,
        created_at,
        case when is_closed_by_now then close_date end as closed_at,
        deleted_at,
        updated_at,
        amount,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
        {{ json_merged('attributes', json_object_of([
            'pipeline_id', 'stage_id', 'stage_is_closed', 'stage_is_won', 'stage_probability',
        ])) }} as _extra,
    from deals_in_stages
),

leads as (
    select
        'contact:' || contacts.contact_id as record_id,
        'lead' as record_type,
        cast(null as {{ dbt.type_string() }}) as pipeline,
        cast(null as {{ dbt.type_string() }}) as name,
        contacts.lifecycle_stage as stage,
        cast(null as {{ dbt.type_string() }}) as currency,
        contacts.owner_id,
        contacts.company_id as account_id,
        contacts.email as contact_email,
        contacts.lead_source,
        contacts.region,
        contacts.loss_reason,
        first_deals.deal_id as converted_record_id,
        'contact:' || survivors.merged_into_id as merged_into_id,
        cast(contacts.is_deleted as {{ dbt.type_string() }}) as is_deleted,
        cast(null as {{ dbt.type_string() }}) as expected_close_date,
        contacts.created_at,
        cast(null as {{ dbt.type_string() }}) as closed_at,
        contacts.deleted_at,
        contacts.updated_at,
        cast(null as {{ dbt.type_string() }}) as amount,
        contacts._source,
        contacts._file,
        contacts._row,
        contacts._load_id,
        contacts._delivered_at,
        contacts._plausible_until,
        contacts._is_current,
        contacts.attributes as _extra,
    from contacts
    left join first_deals
        on
            contacts._source = first_deals._source
            and contacts.contact_id = first_deals.contact_id
    left join survivors
        on
            contacts._source = survivors._source
            and contacts.contact_id = survivors.merged_id
            and survivors.object_type = 'contact'
    -- Who never had a lifecycle stage is in an address book, not in a funnel.
    inner join contacts_in_funnels
        on
            contacts._source = contacts_in_funnels._source
            and contacts.contact_id = contacts_in_funnels.contact_id
)

select * from opportunities
union all
select * from leads
