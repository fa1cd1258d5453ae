-- One row per entry from which a chain may be counted, then one more for each step tried: the chain
-- goes on by the next event of the step or, where the step may be passed over, without it.
starts as (
    select
        subject_id,
        order_number,
        happened_at
    from met
    where
        step = 1
        and happened_at is not null
        and mode in ('ordered', 'strict')
    qualify
        entry_policy = 'best'
        or row_number() over (partition by subject_id order by order_number, happened_at) = 1
),

chains as (
    select
        1 as tried,
        subject_id,
        order_number as start_number,
        happened_at as started_at,
        order_number,
        1 as furthest_step,
        1 as steps_met
    from starts

    union all

    select
        nexts.tried + 1 as tried,
        nexts.subject_id,
        nexts.start_number,
        nexts.started_at,
        case when branches.takes then nexts.next_number else nexts.order_number end as order_number,
        case when branches.takes then nexts.tried + 1 else nexts.furthest_step end as furthest_step,
        case when branches.takes then nexts.steps_met + 1 else nexts.steps_met end as steps_met
    from (
        select
            *,
            min(event_number) over events_after as next_number,
            min(event_at) over events_after as next_at
        from (
            select
                tried,
                subject_id,
                start_number,
                started_at,
                order_number,
                furthest_step,
                steps_met,
                cast(null as bigint) as event_number,
                cast(null as timestamp) as event_at,
                false as is_event
            from chains
            union all
            select
                levels.tried,
                met.subject_id,
                cast(null as bigint) as start_number,
                cast(null as timestamp) as started_at,
                met.order_number,
                cast(null as integer) as furthest_step,
                cast(null as integer) as steps_met,
                met.order_number as event_number,
                met.happened_at as event_at,
                true as is_event
            from (select distinct tried from chains) as levels
            inner join met on levels.tried + 1 = met.step
            where met.happened_at is not null
        ) as chains_and_events
        window events_after as (
            partition by subject_id
            -- An event serves one step: the next one lies behind it.
            order by order_number, is_event desc
            rows between current row and unbounded following
        )
    ) as nexts
    inner join steps on nexts.tried + 1 = steps.step
    cross join (values (true), (false)) as branches (takes)
    where
        not nexts.is_event
        and (
            (
                branches.takes
                and nexts.next_number is not null
                and (mode != 'strict' or nexts.next_number = nexts.order_number + 1)
                and (
                    window_hours is null
                    or epoch_us(nexts.next_at) - epoch_us(nexts.started_at)
                    <= cast(window_hours as double) * 3600000000
                )
            )
            or (not branches.takes and steps.is_optional)
        )
),

best_chains as (
    select
        subject_id,
        start_number,
        started_at,
        furthest_step
    from chains
    qualify
        row_number() over (
            partition by subject_id
            order by furthest_step desc, steps_met desc, started_at, start_number
        ) = 1
),

furthest_steps as (
    select
        subject_id,
        min(order_number) as start_number,
        min(happened_at) as started_at,
        max(step) as furthest_step
    from met
    where mode = 'furthest'
    group by subject_id
),

-- In any order: from each event, when each step comes next.
anchors as (
    select
        subject_id,
        order_number,
        happened_at,
        min(step) as anchor_step
    from met
    where mode = 'any' and happened_at is not null
    group by subject_id, order_number, happened_at
),

anchors_and_events as (
    select
        anchors.subject_id,
        anchors.order_number,
        anchors.happened_at,
        anchors.anchor_step,
        steps.step,
        cast(null as timestamp) as event_at
    from anchors
    cross join steps
    union all
    select
        subject_id,
        order_number,
        happened_at,
        cast(null as integer) as anchor_step,
        step,
        happened_at as event_at
    from met
    where mode = 'any' and happened_at is not null
),

anchor_steps as (
    select
        *,
        min(event_at) over (
            partition by subject_id, step
            order by order_number, anchor_step nulls last
            rows between current row and unbounded following
        ) as next_at
    from anchors_and_events
),

anchor_depths as (
    select
        subject_id,
        order_number,
        happened_at,
        anchor_step,
        coalesce(
            min(step) filter (
                where
                next_at is null
                or epoch_us(next_at) - epoch_us(happened_at)
                > cast(window_hours as double) * 3600000000
            ) - 1,
            max(step)
        ) as furthest_step
    from anchor_steps
    where anchor_step is not null
    group by subject_id, order_number, happened_at, anchor_step
),

best_anchors as (
    select
        subject_id,
        order_number as start_number,
        happened_at as started_at,
        furthest_step
    from anchor_depths
    -- The window is counted from the earliest event that counts.
    where furthest_step >= anchor_step
    qualify
        row_number() over (
            partition by subject_id
            order by furthest_step desc, happened_at, order_number
        ) = 1
),

results as (
    select all_results.*
    from (
        from best_chains
        union all
        from furthest_steps
        union all
        from best_anchors
    ) as all_results
    where
        (
            from_date is null
            or reporting_date(all_results.started_at) >= cast(from_date as date)
        )
        and (to_date is null or reporting_date(all_results.started_at) <= cast(to_date as date))
),
