with

run as (
    select
        {{ reporting_date('as_of') }} as as_of_date,
        cast(
            {{ dbt.dateadd('year', -1, reporting_date('as_of')) }} as date
        ) as year_before_date,
    from {{ ref('int_run') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        coalesce(owner_id, '(missing)') as owner_id,
        team,
        stage_id,
        outcome,
        is_mature,
        entered_date,
        ended_date,
        amount,
    from {{ ref('int_deals') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        win_probability,
    from {{ ref('dim_funnel_stages') }}
),

visited_stages as (
    select distinct
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
    from {{ ref('fct_stage_visits') }}
),

win_rates as (
    select
        deals.funnel_id,
        visited_stages.stage_id,
        count(*) as mature_visitors,
        {{ rate("count(*) filter (where deals.outcome = 'won')", 'count(*)') }} as win_rate,
    from deals
    inner join visited_stages
        on
            deals.funnel_id = visited_stages.funnel_id
            and deals.deal_id = visited_stages.subject_id
            and deals.journey_number = visited_stages.journey_number
    where deals.is_mature
    group by all
),

open_stages as (
    select
        funnel_id,
        owner_id,
        stage_id,
        count(*) as open_deals,
        count(amount) as known_deals,
        sum(amount) as amount,
    from deals
    where outcome = 'open'
    group by all
),

weighted_stages as (
    select
        open_stages.funnel_id,
        open_stages.owner_id,
        open_stages.open_deals,
        open_stages.known_deals,
        open_stages.amount,
        case when funnel_stages.win_probability is null then open_stages.known_deals else 0 end
            as without_probability,
        cast(
            cast(open_stages.amount as double) * funnel_stages.win_probability as decimal(18, 4)
        ) as amount_by_probability,
        case when win_rates.win_rate is null then open_stages.known_deals else 0 end
            as without_win_rate,
        cast(cast(open_stages.amount as double) * win_rates.win_rate as decimal(18, 4))
            as amount_by_win_rate,
        coalesce(win_rates.mature_visitors, 0) as mature_visitors,
    from open_stages
    left join funnel_stages
        on
            open_stages.funnel_id = funnel_stages.funnel_id
            and open_stages.stage_id = funnel_stages.stage_id
    left join win_rates
        on
            open_stages.funnel_id = win_rates.funnel_id
            and open_stages.stage_id = win_rates.stage_id
),

pipelines as (
    select
        funnel_id,
        owner_id,
        sum(open_deals) as open_deals,
        sum(open_deals) - sum(known_deals) as open_amount_unknown,
        sum(amount) as open_amount,
        sum(without_probability) as without_probability,
        sum(amount_by_probability) as amount_by_probability,
        sum(without_win_rate) as without_win_rate,
        sum(amount_by_win_rate) as amount_by_win_rate,
        min(mature_visitors) as fewest_mature_visitors,
    from weighted_stages
    group by all
),

funnel_histories as (
    select
        deals.funnel_id,
        min(deals.entered_date) as first_date,
    from deals
    group by all
),

owners as (
    select
        funnel_id,
        owner_id,
        min(team) as team,
    from deals
    group by all
),

wins as (
    select
        deals.funnel_id,
        deals.owner_id,
        count(*) as won_deals,
        count(*) - count(deals.amount) as won_amount_unknown,
        sum(deals.amount) as won_amount,
        count(*) filter (where deals.entered_date >= run.year_before_date) as won_new_deals,
        count(*) filter (where deals.entered_date >= run.year_before_date and deals.amount is null)
            as won_new_amount_unknown,
        sum(deals.amount) filter (where deals.entered_date >= run.year_before_date)
            as won_new_amount,
    from deals
    cross join run
    where
        deals.outcome = 'won'
        and deals.ended_date >= run.year_before_date
        and deals.ended_date < run.as_of_date
    group by all
),

-- Without a deal there is nothing. Where there are deals and no amount of them is known, nobody
-- knows what there is.
owner_sums as (
    select
        owners.funnel_id,
        owners.owner_id,
        owners.team,
        coalesce(pipelines.open_deals, 0) as open_deals,
        coalesce(pipelines.open_amount_unknown, 0) as open_amount_unknown,
        case when pipelines.open_deals is null then 0 else pipelines.open_amount end
            as open_amount,
        coalesce(pipelines.without_probability, 0) as without_probability,
        case when pipelines.open_deals is null then 0 else pipelines.amount_by_probability end
            as amount_by_probability,
        coalesce(pipelines.without_win_rate, 0) as without_win_rate,
        case when pipelines.open_deals is null then 0 else pipelines.amount_by_win_rate end
            as amount_by_win_rate,
        pipelines.fewest_mature_visitors,
        coalesce(wins.won_deals, 0) as won_deals,
        coalesce(wins.won_amount_unknown, 0) as won_amount_unknown,
        case when wins.won_deals is null then 0 else wins.won_amount end as won_amount,
        coalesce(wins.won_new_deals, 0) as won_new_deals,
        coalesce(wins.won_new_amount_unknown, 0) as won_new_amount_unknown,
        case when coalesce(wins.won_new_deals, 0) = 0 then 0 else wins.won_new_amount end
            as won_new_amount,
        greatest(run.year_before_date, funnel_histories.first_date) as history_date,
    from owners
    cross join run
    inner join funnel_histories
        on owners.funnel_id = funnel_histories.funnel_id
    left join pipelines
        on
            owners.funnel_id = pipelines.funnel_id
            and owners.owner_id = pipelines.owner_id
    left join wins
        on
            owners.funnel_id = wins.funnel_id
            and owners.owner_id = wins.owner_id
)

select
    funnel_id,
    owner_id,
    team,
    cast(history_date as date) as history_date,
    cast(open_deals as bigint) as open_deals,
    cast(open_amount as decimal(18, 4)) as open_amount,
    cast(open_amount_unknown as bigint) as open_amount_unknown,
    cast(amount_by_probability as decimal(18, 4)) as weighted_by_probability,
    cast(without_probability as bigint) as without_probability,
    cast(amount_by_win_rate as decimal(18, 4)) as weighted_by_win_rate,
    cast(without_win_rate as bigint) as without_win_rate,
    fewest_mature_visitors,
    won_deals,
    cast(won_amount as decimal(18, 4)) as won_amount,
    won_amount_unknown,
    won_new_deals,
    cast(won_new_amount as decimal(18, 4)) as won_new_amount,
    won_new_amount_unknown,
    cast(amount_by_probability + won_new_amount as decimal(18, 4)) as quota_basis_by_probability,
    cast(amount_by_win_rate + won_new_amount as decimal(18, 4)) as quota_basis_by_win_rate,
from owner_sums
