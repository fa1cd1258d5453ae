with

leads as (
    select
        funnel_id,
        qualification_class,
        outcome,
        is_known_at_entry,
        is_mature,
    from {{ ref('lead_qualification') }}
),

qualification_rules as (
    select funnel_id,
    from {{ ref('qualification_rules') }}
),

funnels as (
    select distinct funnel_id,
    from qualification_rules
),

-- The eight classes have their row also while no lead is in them.
known_classes as (
    {% for money in ['M', 'm'] %}
        {% for authority in ['A', 'a'] %}
            {% for need in ['N', 'n'] %}
                select '{{ money ~ authority ~ need }}' as qualification_class
                union all
            {% endfor %}
        {% endfor %}
    {% endfor %}
    select 'all' as qualification_class
),

classes as (
    select
        funnels.funnel_id,
        known_classes.qualification_class,
    from funnels
    cross join known_classes
    union
    select
        funnel_id,
        qualification_class,
    from leads
),

scopes as (
    select false as by_class
    union all
    select true as by_class
),

counted as (
    select
        leads.funnel_id,
        case when scopes.by_class then leads.qualification_class else 'all' end
            as qualification_class,
        count(*) as journeys,
        count(case when leads.is_known_at_entry then 1 end) as journeys_known_at_entry,
        count(case when leads.outcome = 'open' then 1 end) as open_journeys,
        count(case when leads.is_mature then 1 end) as mature_journeys,
        count(case when leads.is_mature and leads.outcome = 'won' then 1 end) as mature_won,
        count(case when leads.is_mature and leads.outcome = 'lost' then 1 end) as mature_lost,
    from leads
    cross join scopes
    group by all
)

select
    classes.funnel_id,
    classes.qualification_class,
    {{ qualification_action('classes.qualification_class') }} as action,
    coalesce(counted.journeys, 0) as journeys,
    coalesce(counted.journeys_known_at_entry, 0) as journeys_known_at_entry,
    coalesce(counted.open_journeys, 0) as open_journeys,
    coalesce(counted.mature_journeys, 0) as mature_journeys,
    coalesce(counted.mature_won, 0) as mature_won,
    coalesce(counted.mature_lost, 0) as mature_lost,
    {{ rate('counted.mature_won', 'counted.mature_journeys') }} as conversion_rate,
    {{ wilson_low('counted.mature_won', 'counted.mature_journeys') }} as conversion_rate_low,
    {{ wilson_high('counted.mature_won', 'counted.mature_journeys') }} as conversion_rate_high,
    {{ is_reportable('counted.mature_journeys') }} as conversion_rate_is_reportable,
from classes
left join counted
    on
        classes.funnel_id = counted.funnel_id
        and classes.qualification_class = counted.qualification_class
