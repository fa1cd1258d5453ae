with

owners as (
    select * from {{ source('hubspot', 'owner') }}
    {{ union_by_name() }}
    select * from {{ source('hubspot', 'owners') }}
),

team_names as (
    select
        _source,
        id as team_id,
        name,
    from {{ current_rows(source('hubspot', 'team'), 'id', [
        "try_cast(_fivetran_synced as timestamp)",
    ]) }}
),

memberships as (
    select
        owner_teams._source,
        owner_teams.owner_id,
        owner_teams.team_id,
        coalesce(team_names.name, owner_teams.team_id) as team,
        {{ hubspot_is_true(['owner_teams.is_team_primary']) }} as is_primary,
    from {{ current_rows(source('hubspot', 'owner_team'), 'owner_id, team_id', [
        "try_cast(_fivetran_synced as timestamp)",
    ]) }} as owner_teams
    left join team_names
        on
            owner_teams._source = team_names._source
            and owner_teams.team_id = team_names.team_id
    where not {{ hubspot_is_true(['owner_teams._fivetran_deleted']) }}
),

nested_memberships as (
    select
        _source,
        id as owner_id,
        {{ exploded(json_items('teams')) }} as team,
    from {{ current_rows(source('hubspot', 'owners'), 'id', [
        'try_cast(' ~ connector_instant('coalesce(_airbyte_extracted_at, _airbyte_emitted_at)')
        ~ ' as timestamp)',
    ]) }}
),

all_memberships as (
    select * from memberships
    union all
    select
        _source,
        owner_id,
        {{ json_text('team', 'id') }} as team_id,
        coalesce({{ json_text('team', 'name') }}, {{ json_text('team', 'id') }}) as team,
        {{ hubspot_is_true([json_text('team', 'primary')]) }} as is_primary,
    from nested_memberships
),

main_teams as (
    select
        _source,
        owner_id,
        team,
    from all_memberships
    qualify row_number() over (
        partition by _source, owner_id
        order by is_primary desc, length(team_id) asc, team_id asc
    ) = 1
)

select
    coalesce(owners.owner_id, owners.id) as owner_id,
    nullif(concat_ws(' ', owners.first_name, owners.last_name), '') as name,
    owners.email,
    main_teams.team,
    cast(
        coalesce(try_cast(owners.is_active as boolean), true)
        and not {{ hubspot_is_true(['owners._fivetran_deleted', 'owners.archived']) }}
        as {{ dbt.type_string() }}
    ) as is_active,
    {{ connector_instant('owners.created_at') }} as created_at,
    coalesce({{ hubspot_synced_at() }}, {{ connector_instant('owners.updated_at') }}) as updated_at,
    owners._source,
    owners._file,
    owners._row,
    owners._load_id,
    owners._delivered_at,
    owners._plausible_until,
    owners._is_current,
from owners
left join main_teams
    on
        owners._source = main_teams._source
        and coalesce(owners.owner_id, owners.id) = main_teams.owner_id
