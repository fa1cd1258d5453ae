"""HubSpot, as Fivetran delivers it. A lead is a contact with a stage of the lifecycle."""

from __future__ import annotations

from simulation import crm
from simulation.extracts import Table

_SYNCED = "make_timestamp({0}) as _fivetran_synced"
_PIPELINE_ID = "name_key({0})"
_STAGE_ID = "name_key({0}) || '_' || name_key({1})"
# Stages of the lifecycle by their internal names, which of a company's own are numbers. As in the
# declarations that ship with the warehouse, the stages are those of the default parameters.
_LIFECYCLE = {
    "New": "lead",
    "Contacted": "180001",
    "Need confirmed": "marketingqualifiedlead",
    "Qualified": "salesqualifiedlead",
    "Converted": "opportunity",
    "Unqualified - no need": "190001",
    "Unqualified - no budget": "190002",
    "Unqualified - not reached": "190003",
}
# And what all those of lost leads begin with.
LEAD_STAGES = _LIFECYCLE | {"Unqualified": "1900"}
_LIFECYCLE_STAGE = " ".join(
    ("case {0}", *(f"when '{name}' then '{own}'" for name, own in _LIFECYCLE.items()), "end")
)
# The pipelines of deals; that of leads is no pipeline of HubSpot.
_PIPELINES = [name for name in crm.PIPELINES if name != "Inbound"]
_PERSON = "record_id(number, null)"
_KINDS = {"call": ("call",), "email": ("email",), "meeting": ("meeting", "demo")}


def _engagement(kind: str, own_kinds: tuple[str, ...]) -> Table:
    names = ", ".join(f"'{name}'" for name in own_kinds)
    return Table(
        f"engagement_{kind}",
        "csv",
        f"""
        select
            delivered,
            activity_id(number, deal, activity) as engagement_id,
            owner_id(owner) as property_hubspot_owner_id,
            make_timestamp("at") as property_hs_timestamp,
            make_timestamp("at") as property_hs_createdate,
            make_timestamp("at") as property_hs_lastmodifieddate,
            false as _fivetran_deleted,
            {_SYNCED.format('"at"')},
        from activities
        where kind in ({names})
        """,
    )


TABLES = (
    Table(
        "deal",
        "csv",
        f"""
        select
            delivered,
            key_of(number, deal, twin) as deal_id,
            {_PIPELINE_ID.format("pipeline")} as deal_pipeline_id,
            {_STAGE_ID.format("pipeline", "stage")} as deal_pipeline_stage_id,
            owner_id(owner) as owner_id,
            record_name(number, deal) as property_dealname,
            money(cents) as property_amount,
            currency as property_deal_currency_code,
            reason as property_closed_lost_reason,
            source as property_lead_source,
            region as property_region,
            product as property_product,
            customer_kind as property_customer_kind,
            size as property_company_size,
            next_step as property_hs_next_step,
            competitor as property_competitor,
            make_timestamp(created) as property_createdate,
            coalesce(make_timestamp(closed), cast(day_of(expected) as timestamp))
                as property_closedate,
            make_timestamp(updated) as property_hs_lastmodifieddate,
            is_merged or deleted is not null as _fivetran_deleted,
            {_SYNCED.format("updated")},
        from records
        where type = 'opportunity' and not is_absorption
        """,
    ),
    Table(
        "deal_stage",
        "csv.gz",
        f"""
        select
            delivered,
            key_of(number, deal, twin) as deal_id,
            {_STAGE_ID.format("pipeline", "stage")} as value,
            make_timestamp("at") as date_entered,
            {_SYNCED.format('"at"')},
        from stage_changes
        where type = 'opportunity' and not is_of_amount
        """,
    ),
    Table(
        "deal_property_history",
        "csv",
        """
        select
            delivered,
            key_of(number, deal, twin) as deal_id,
            case field
                when 'owner_id' then 'hubspot_owner_id'
                when 'amount' then 'amount'
                else 'closedate'
            end as name,
            case field
                when 'owner_id' then owner_id(known.value)
                when 'amount' then cast(money(known.value) as varchar)
                else cast(day_of(known.value) as varchar)
            end as value,
            make_timestamp(known.since) as timestamp,
        from (
            select
                *,
                -- The first value too, since when the deal was created.
                unnest(
                    case
                        when is_first
                            then [{value: old, since: created}, {value: new, since: "at"}]
                        else [{value: new, since: "at"}]
                    end
                ) as known,
            from field_changes
        )
        """,
    ),
    Table(
        "deal_pipeline",
        "csv",
        f"""
        select
            delivered,
            {_PIPELINE_ID.format("label")} as pipeline_id,
            label,
            false as _fivetran_deleted,
            {_SYNCED.format("delivered")},
        from (select delivered, unnest({_PIPELINES}) as label from stages where place = 0)
        """,
    ),
    Table(
        "deal_pipeline_stage",
        "csv",
        f"""
        select
            delivered,
            {_STAGE_ID.format("pipeline", "stage")} as stage_id,
            {_PIPELINE_ID.format("pipeline")} as pipeline_id,
            stage as label,
            place as display_order,
            case when is_won then 1.0 when is_closed then 0.0 else 0.2 * (place + 1) end
                as probability,
            is_closed,
            is_won as closed_won,
            -- A stage keeps the name that it has now in all its history: the renamed one was
            -- replaced by another.
            not is_active as _fivetran_deleted,
            {_SYNCED.format("delivered")},
        from (select *, unnest({_PIPELINES}) as pipeline from stages)
        """,
    ),
    Table(
        "merged_deal",
        "csv",
        f"""
        select
            delivered,
            record_id(number, deal) as deal_id,
            key_of(number, deal, twin) as merged_deal_id,
            false as _fivetran_deleted,
            {_SYNCED.format("updated")},
        from records
        where type = 'opportunity' and is_merged
        """,
    ),
    Table(
        "deal_company",
        "csv",
        f"""
        select
            delivered,
            key_of(number, deal, twin) as deal_id,
            account_id(account) as company_id,
            5 as type_id,
            false as _fivetran_deleted,
            {_SYNCED.format("updated")},
        from records
        where type = 'opportunity' and not is_absorption
        """,
    ),
    Table(
        "deal_contact",
        "csv",
        f"""
        select
            delivered,
            key_of(number, deal, twin) as deal_id,
            {_PERSON} as contact_id,
            3 as type_id,
            false as _fivetran_deleted,
            {_SYNCED.format("updated")},
        from records
        where type = 'opportunity' and not is_absorption
        """,
    ),
    Table(
        "contact",
        "csv.gz",
        f"""
        select
            delivered,
            key_of(number, deal, twin) as id,
            typed_email(number, untidy) as property_email,
            {_LIFECYCLE_STAGE.format("stage")} as property_lifecyclestage,
            null as property_jobtitle,
            owner_id(owner) as property_hubspot_owner_id,
            case when is_converted then account_id(number) end as property_associatedcompanyid,
            case when is_converted then user_id("user") end as property_user_id,
            source as property_lead_source,
            region as property_region,
            product as property_product,
            customer_kind as property_customer_kind,
            size as property_company_size,
            reason as property_loss_reason,
            case when has_absorbed then key_of(number, deal, true) end
                as property_hs_merged_object_ids,
            make_timestamp(created) as property_createdate,
            make_timestamp(updated) as property_lastmodifieddate,
            is_merged or deleted is not null as _fivetran_deleted,
            {_SYNCED.format("updated")},
        from records
        where type = 'lead'

        union all

        -- Whom a partner brought was no lead.
        select
            delivered,
            {_PERSON} as id,
            typed_email(number, untidy) as property_email,
            null as property_lifecyclestage,
            job as property_jobtitle,
            owner_id(owner) as property_hubspot_owner_id,
            account_id(number) as property_associatedcompanyid,
            user_id("user") as property_user_id,
            source as property_lead_source,
            region as property_region,
            null as property_product,
            null as property_customer_kind,
            null as property_company_size,
            null as property_loss_reason,
            null as property_hs_merged_object_ids,
            make_timestamp(created) as property_createdate,
            make_timestamp(created) as property_lastmodifieddate,
            false as _fivetran_deleted,
            {_SYNCED.format("created")},
        from contacts
        where source = 'partner'
        """,
    ),
    Table(
        "contact_property_history",
        "csv.gz",
        f"""
        select
            delivered,
            key_of(number, deal, twin) as contact_id,
            'lifecyclestage' as name,
            {_LIFECYCLE_STAGE.format("stage")} as value,
            make_timestamp("at") as timestamp,
        from stage_changes
        where type = 'lead'
        """,
    ),
    Table(
        "company",
        "csv",
        f"""
        select
            delivered,
            account_id(number) as id,
            'Account ' || number as property_name,
            industry as property_industry,
            employees as property_numberofemployees,
            region as property_region,
            owner_id(owner) as property_hubspot_owner_id,
            make_timestamp(created) as property_createdate,
            make_timestamp(updated) as property_hs_lastmodifieddate,
            false as _fivetran_deleted,
            {_SYNCED.format("updated")},
        from accounts
        """,
    ),
    Table(
        "owner",
        "csv",
        f"""
        select
            delivered,
            owner_id(number) as owner_id,
            'Owner' as first_name,
            lpad(cast(number + 1 as varchar), 2, '0') as last_name,
            true as is_active,
            make_timestamp(created) as created_at,
            make_timestamp(updated) as updated_at,
            false as _fivetran_deleted,
            {_SYNCED.format("updated")},
        from owners
        """,
    ),
    Table(
        "owner_team",
        "csv",
        f"""
        select
            delivered,
            owner_id(number) as owner_id,
            name_key(team_of(region, team, is_director)) as team_id,
            true as is_team_primary,
            false as _fivetran_deleted,
            {_SYNCED.format("delivered")},
        from owners
        """,
    ),
    Table(
        "team",
        "csv",
        f"""
        select
            delivered,
            name_key(name) as id,
            name,
            false as _fivetran_deleted,
            {_SYNCED.format("delivered")},
        from (
            select distinct
                delivered,
                team_of(region, team, is_director) as name,
            from owners
            order by all
        )
        """,
    ),
    *(_engagement(kind, own_kinds) for kind, own_kinds in _KINDS.items()),
    Table(
        "engagement_deal",
        "csv",
        f"""
        select
            delivered,
            activity_id(number, deal, activity) as engagement_id,
            record_id(number, deal) as deal_id,
            false as _fivetran_deleted,
            {_SYNCED.format('"at"')},
        from activities
        where deal is not null
        """,
    ),
    Table(
        "engagement_contact",
        "csv",
        f"""
        select
            delivered,
            activity_id(number, deal, activity) as engagement_id,
            {_PERSON} as contact_id,
            false as _fivetran_deleted,
            {_SYNCED.format('"at"')},
        from activities
        """,
    ),
)
