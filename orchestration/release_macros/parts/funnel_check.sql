known_funnels as (
    select
        string_agg(funnel_id, ', ' order by funnel_id) as names,
        coalesce(bool_or(funnel_id = funnel), false) as has_it
    from dim_funnels
),

known_stages as (
    select
        coalesce(string_agg(stage_id, ', ' order by stage_position nulls last, stage_id), 'none')
            as names,
        coalesce(list(stage_id), []) as ids
    from dim_funnel_stages
    where funnel_id = funnel
),

known_segments as (
    select
        coalesce(string_agg(segment_name, ', ' order by segment_name), 'none') as names,
        coalesce(list(segment_name), []) as ids
    from dim_segments
    where funnel_id = funnel
),
