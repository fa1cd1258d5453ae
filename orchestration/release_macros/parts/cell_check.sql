$funnel_check

known_values as (
    select
        string_agg(segment_value, ', ' order by segment_value) filter (where value_number <= 20)
        || case when count(*) > 20 then ' and ' || (count(*) - 20) || ' more' else '' end
            as names,
        coalesce(list(segment_value), []) as ids,
        (
            select string_agg(distinct segment_name, ', ' order by segment_name)
            from $values_table
            where funnel_id = funnel and segment_name != 'all'
        ) as segments
    from (
        select
            segment_value,
            row_number() over (order by segment_value) as value_number
        from $values_table
        where funnel_id = funnel and segment_name = segment
        group by segment_value
    ) as numbered_values
),

cell_problems as (
    select
        coalesce(
            case
                when not known_funnels.has_it
                    then 'expected a funnel of this release (' || known_funnels.names || '), found '
                    || coalesce(cast(funnel as varchar), 'null')
            end,
            case
                when segment is null or value is null
                    then 'expected a segment and its value, found null; the whole is '
                    || 'segment := ''all'', value := ''all'''
            end,
            case
                when segment = 'all' and value != 'all'
                    then 'expected value all of the segment all, found ' || cast(value as varchar)
            end,
            case
                when segment != 'all' and known_values.names is null
                    then 'expected a segment of ' || funnel || ' (all, '
                    || coalesce(known_values.segments, 'no other') || '), found '
                    || cast(segment as varchar)
            end,
            case
                when segment != 'all' and not list_contains(known_values.ids, cast(value as varchar))
                    then 'expected a value of ' || segment || ' (' || known_values.names
                    || '), found ' || cast(value as varchar)
            end
        ) as problem
    from known_funnels
    cross join known_values
),
