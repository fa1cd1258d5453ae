with

run as (
    select
        as_of,
        {{ reporting_date('as_of') }} as as_of_date,
    from {{ ref('int_run') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        owner_id,
        account_id,
        stage_id,
        stage_position,
        expected_close_date,
        stage_entered_at,
        amount,
        amount_unknown_for,
    from {{ ref('int_deals') }}
    where outcome = 'open'
),

owners as (
    select
        owner_id,
        manager_id,
    from {{ ref('stg_owners') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        win_probability,
    from {{ ref('dim_funnel_stages') }}
),

stage_win_rates as (
    select
        funnel_id,
        stage_id,
        known_from,
        won,
        closed,
    from {{ ref('int_stage_win_rates') }}
),

open_visits as (
    select
        funnel_id,
        subject_id,
        journey_number,
        age_seconds,
        is_stalled,
        stalled_by,
    from {{ ref('open_visits') }}
),

activities as (
    select
        record_id,
        max(occurred_at) as last_activity_at,
    from {{ ref('int_record_activities') }}
    group by record_id
),

next_steps as (
    select
        funnel_id,
        deal_id,
        next_step_is_missing,
    from {{ ref('int_deal_next_steps') }}
),

buying_roles as (
    select
        funnel_id,
        deal_id,
        buying_roles_not_met,
        missing_buying_roles,
    from {{ ref('int_deal_buying_roles') }}
),

worklist_settings as (
    select
        funnel_id,
        manager_amount,
    from {{ ref('worklist_settings') }}
),

observed_rates as (
    select
        stage_win_rates.funnel_id,
        stage_win_rates.stage_id,
        max_by(
            {{ rate('stage_win_rates.won', 'stage_win_rates.closed') }}, stage_win_rates.known_from
        ) as win_rate,
    from stage_win_rates
    inner join run
        on stage_win_rates.known_from <= run.as_of_date
    group by all
),

weighted_deals as (
    select
        deals.funnel_id,
        deals.deal_id,
        deals.journey_number,
        deals.owner_id,
        owners.manager_id,
        deals.account_id,
        deals.stage_id,
        deals.stage_position,
        case
            when funnel_stages.win_probability is not null then 'declared'
            when observed_rates.win_rate is not null then 'observed'
        end as win_probability_source,
        open_visits.stalled_by,
        buying_roles.missing_buying_roles,
        deals.amount > worklist_settings.manager_amount as is_for_manager,
        coalesce(open_visits.is_stalled, false) as is_stalled,
        next_steps.next_step_is_missing,
        case
            when activities.last_activity_at is null then true
            else activities.last_activity_at < deals.stage_entered_at
        end as is_untouched_in_stage,
        deals.expected_close_date,
        deals.stage_entered_at,
        activities.last_activity_at,
        deals.amount,
        deals.amount_unknown_for,
        coalesce(funnel_stages.win_probability, observed_rates.win_rate) as win_probability,
        open_visits.age_seconds,
        case
            when deals.expected_close_date >= run.as_of_date then 0
            else {{ dbt.datediff('deals.expected_close_date', 'run.as_of_date', 'day') }}
        end as days_overdue,
        cast(
            floor({{ microseconds_between('activities.last_activity_at', 'run.as_of') }} / 86400e6)
            as bigint
        ) as days_since_activity,
        buying_roles.buying_roles_not_met,
    from deals
    cross join run
    left join owners
        on deals.owner_id = owners.owner_id
    left join funnel_stages
        on
            deals.funnel_id = funnel_stages.funnel_id
            and deals.stage_id = funnel_stages.stage_id
    left join observed_rates
        on
            deals.funnel_id = observed_rates.funnel_id
            and deals.stage_id = observed_rates.stage_id
    left join open_visits
        on
            deals.funnel_id = open_visits.funnel_id
            and deals.deal_id = open_visits.subject_id
            and deals.journey_number = open_visits.journey_number
    left join activities
        on deals.deal_id = activities.record_id
    left join next_steps
        on
            deals.funnel_id = next_steps.funnel_id
            and deals.deal_id = next_steps.deal_id
    left join buying_roles
        on
            deals.funnel_id = buying_roles.funnel_id
            and deals.deal_id = buying_roles.deal_id
    left join worklist_settings
        on deals.funnel_id = worklist_settings.funnel_id
),

valued_deals as (
    select
        *,
        {{ weighted_amount('amount', 'win_probability') }} as expected_value,
        case when is_stalled then 1 else 0 end
        + case when days_overdue > 0 then 1 else 0 end
        + case when is_untouched_in_stage then 1 else 0 end
        + case when next_step_is_missing then 1 else 0 end
        + case when missing_buying_roles is not null then 1 else 0 end as concerns,
    from weighted_deals
)

select
    funnel_id,
    row_number() over (
        partition by funnel_id
        order by
            expected_value desc nulls last, amount desc nulls last,
            stage_entered_at asc nulls last, deal_id asc, journey_number asc
    ) as worklist_rank,
    row_number() over (
        partition by funnel_id, owner_id
        order by
            expected_value desc nulls last, amount desc nulls last,
            stage_entered_at asc nulls last, deal_id asc, journey_number asc
    ) as owner_worklist_rank,
    row_number() over (
        partition by funnel_id, owner_id
        order by
            concerns desc,
            expected_value desc nulls last, amount desc nulls last,
            stage_entered_at asc nulls last, deal_id asc, journey_number asc
    ) as owner_concern_rank,
    deal_id,
    journey_number,
    owner_id,
    manager_id,
    account_id,
    stage_id,
    stage_position,
    case
        when expected_value is not null
            then
                cast(cast(expected_value as decimal(18, 2)) as varchar) || ' expected, '
                || cast(cast(win_probability * 100 as decimal(5, 1)) as varchar) || '% of '
                || cast(cast(amount as decimal(18, 2)) as varchar)
        when amount_unknown_for is not null then 'last, as its amount is unknown'
        else 'last, as nothing is known of its chance to be won'
    end
    || case
        when days_overdue > 0 then '; overdue by days: ' || cast(days_overdue as varchar) else ''
    end
    || case stalled_by
        when 'both' then '; in its stage for longer than the target and than nine in ten were'
        when 'target' then '; in its stage for longer than the target'
        when 'history' then '; in its stage for longer than nine in ten were'
        else ''
    end
    || case
        when last_activity_at is null then '; no activity yet'
        when is_untouched_in_stage
            then
                '; no activity in this stage, nor for days: '
                || cast(days_since_activity as varchar)
        else ''
    end
    || case when next_step_is_missing then '; no next step' else '' end
    || coalesce('; not met: ' || missing_buying_roles, '')
    || case when is_for_manager then '; for the manager, too' else '' end as reason,
    win_probability_source,
    amount_unknown_for,
    stalled_by,
    missing_buying_roles,
    is_for_manager,
    is_stalled,
    next_step_is_missing,
    is_untouched_in_stage,
    expected_close_date,
    stage_entered_at,
    last_activity_at,
    amount,
    win_probability,
    expected_value,
    age_seconds,
    days_overdue,
    days_since_activity,
    buying_roles_not_met,
    concerns,
from valued_deals
