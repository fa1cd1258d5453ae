with

opportunities as (
    select * from {{ source('salesforce', 'opportunity') }}
),

leads as (
    select * from {{ source('salesforce', 'lead') }}
),

contacts as (
    select
        _source,
        id,
        email,
    from {{ salesforce_current_rows('contact') }}
),

record_types as (
    select
        _source,
        id,
        name,
    from {{ salesforce_current_rows('record_type') }}
),

stages as (
    select
        _source,
        api_name,
        master_label,
        try_cast(is_closed as boolean) as is_closed,
    from {{ current_rows(
        source('salesforce', 'opportunity_stage'),
        'coalesce(api_name, master_label)',
        ['try_cast(_fivetran_synced as timestamp)', 'try_cast(system_modstamp as timestamp)']
    ) }}
),

-- Deals name their stage by its first name or by the one it has now.
stage_names as (
    select
        _source,
        api_name as stage_name,
        is_closed,
    from stages

    union all

    select
        _source,
        master_label as stage_name,
        is_closed,
    from stages
),

closing_stages as (
    select
        _source,
        stage_name,
    from stage_names
    group by all
    having bool_or(is_closed)
),

wanted_attributes as (
    select
        attributes,
        custom_attributes,
    from {{ ref('base_wanted_attributes') }}
),

opportunities_by_closing as (
    select
        opportunities.*,
        contacts.email as contact_email,
        coalesce(record_types.name, opportunities.record_type_id) as pipeline,
        coalesce(
            try_cast(opportunities.is_closed as boolean),
            closing_stages.stage_name is not null
        ) as has_closed,
        coalesce(
            opportunities.last_modified_date,
            opportunities.system_modstamp,
            {{ salesforce_updated_at('opportunities') }}
        ) as last_changed_at,
    from opportunities
    left join contacts
        on
            opportunities._source = contacts._source
            and opportunities.contact_id = contacts.id
    left join record_types
        on
            opportunities._source = record_types._source
            and opportunities.record_type_id = record_types.id
    left join closing_stages
        on
            opportunities._source = closing_stages._source
            and opportunities.stage_name = closing_stages.stage_name
),

opportunity_records as (
    select
        deals.id as record_id,
        'opportunity' as record_type,
        deals.pipeline,
        deals.name,
        deals.created_date as created_at,
        case
            when deals.has_closed
                then coalesce(
                    deals.last_stage_change_date,
                    {{ between_days_of(
                        'deals.close_date', 'deals.created_date', 'deals.last_changed_at'
                    ) }}
                )
        end as closed_at,
        case when not deals.has_closed then deals.close_date end as expected_close_date,
        deals.stage_name as stage,
        deals.amount,
        deals.currency_iso_code as currency,
        deals.owner_id,
        deals.account_id,
        deals.contact_email,
        deals.lead_source,
        deals.region_c as region,
        coalesce(deals.loss_reason_c, deals.lost_reason_c, deals.closed_lost_reason_c)
            as loss_reason,
        cast(null as {{ dbt.type_string() }}) as converted_record_id,
        cast(null as {{ dbt.type_string() }}) as merged_into_id,
        cast({{ salesforce_is_deleted('deals') }} as {{ dbt.type_string() }}) as is_deleted,
        {{ salesforce_deleted_at('deals') }} as deleted_at,
        {{ salesforce_updated_at('deals') }} as updated_at,
        deals._source,
        deals._file,
        deals._row,
        deals._load_id,
        deals._delivered_at,
        deals._plausible_until,
        {{ salesforce_is_current('deals', [
            'name', 'created_date', 'last_stage_change_date', 'close_date', 'is_closed',
            'stage_name', 'amount', 'currency_iso_code', 'owner_id', 'account_id', 'contact_id',
            'lead_source', 'record_type_id', 'region_c', 'loss_reason_c', 'lost_reason_c',
            'closed_lost_reason_c', 'is_deleted', '_fivetran_deleted', '_fivetran_active',
            '_ab_cdc_deleted_at', 'last_modified_date', 'system_modstamp', '_extra',
        ]) }} as _is_current,
        {{ salesforce_attributes('deals', 'wanted_attributes') }} as _extra,
    from opportunities_by_closing as deals
    cross join wanted_attributes
),

lead_records as (
    select
        leads.id as record_id,
        'lead' as record_type,
        coalesce(record_types.name, leads.record_type_id) as pipeline,
        cast(null as {{ dbt.type_string() }}) as name,
        leads.created_date as created_at,
        {{ between_days_of(
            'leads.converted_date', 'leads.created_date', 'cast(null as ' ~ dbt.type_string() ~ ')'
        ) }} as closed_at,
        cast(null as {{ dbt.type_string() }}) as expected_close_date,
        leads.status as stage,
        cast(null as {{ dbt.type_string() }}) as amount,
        leads.currency_iso_code as currency,
        leads.owner_id,
        leads.converted_account_id as account_id,
        leads.email as contact_email,
        leads.lead_source,
        leads.region_c as region,
        coalesce(leads.loss_reason_c, leads.lost_reason_c) as loss_reason,
        leads.converted_opportunity_id as converted_record_id,
        leads.master_record_id as merged_into_id,
        cast({{ salesforce_is_deleted('leads') }} as {{ dbt.type_string() }}) as is_deleted,
        {{ salesforce_deleted_at('leads') }} as deleted_at,
        {{ salesforce_updated_at('leads') }} as updated_at,
        leads._source,
        leads._file,
        leads._row,
        leads._load_id,
        leads._delivered_at,
        leads._plausible_until,
        {{ salesforce_is_current('leads', [
            'created_date', 'converted_date', 'status', 'currency_iso_code', 'owner_id',
            'converted_account_id', 'email', 'lead_source', 'record_type_id', 'region_c',
            'loss_reason_c', 'lost_reason_c', 'converted_opportunity_id', 'master_record_id', 'is_deleted', '_fivetran_deleted',
            '_fivetran_active', '_ab_cdc_deleted_at', 'last_modified_date', 'system_modstamp',
            '_extra',
        ]) }} as _is_current,
        {{ salesforce_attributes('leads', 'wanted_attributes') }} as _extra,
    from leads
    left join record_types
        on
            leads._source = record_types._source
            and leads.record_type_id = record_types.id
    cross join wanted_attributes
)

select * from opportunity_records
union all
select * from lead_records
