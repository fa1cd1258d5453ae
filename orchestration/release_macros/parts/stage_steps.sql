$funnel_check

unknown_stages as (
    select string_agg(coalesce(listed_stages.name, 'null'), ', ') as names
    from unnest(cast(stages as varchar[])) as listed_stages (name)
    cross join known_stages
    where not coalesce(list_contains(known_stages.ids, listed_stages.name), false)
),

asked as (
    select
        '$name: '
        || coalesce(
            case
                when not known_funnels.has_it
                    then 'expected a funnel of this release (' || known_funnels.names || '), found '
                    || coalesce(cast(funnel as varchar), 'null')
            end,
            case
                when coalesce(len(cast(stages as varchar[])), 0) = 0
                    then 'expected a list of stages of ' || funnel || ' (' || known_stages.names
                    || '), found none'
            end,
            case
                when not list_has_all(known_stages.ids, cast(stages as varchar[]))
                    then 'expected stages of ' || funnel || ' (' || known_stages.names || '), found '
                    || unknown_stages.names
            end,
            case
                when len(list_distinct(cast(stages as varchar[]))) < len(cast(stages as varchar[]))
                    then 'expected each stage once, found '
                    || array_to_string(cast(stages as varchar[]), ', ')
            end,
            $chain_check
            case
                when
                    not list_has_all(cast(stages as varchar[])[2:], cast(optional as varchar[]))
                    then 'expected optional stages among those after the first, found '
                    || array_to_string(cast(optional as varchar[]), ', ')
            end,
            case
                when
                    not (
                        breakdown in ('all', 'year', 'quarter', 'month', 'week', 'day')
                        or list_contains(known_segments.ids, breakdown)
                    )
                    then 'expected breakdown all, year, quarter, month, week, day or a segment of '
                    || funnel || ' (' || known_segments.names || '), found '
                    || coalesce(cast(breakdown as varchar), 'null')
            end
        ) as problem
    from known_funnels
    cross join known_stages
    cross join known_segments
    cross join unknown_stages
),

listed as (
    select
        case when problem is not null then error(problem) else cast(stages as varchar[]) end
            as names
    from asked
),

steps as (
    select
        cast(numbers.number as integer) as step,
        listed.names[numbers.number] as name,
        list_contains(cast(optional as varchar[]), listed.names[numbers.number]) as is_optional
    from listed
    cross join lateral unnest(range(1, len(listed.names) + 1)) as numbers (number)
),

-- Where nothing may lie in between, a repeat that the funnel sums up to one visit does not count;
-- an event that the funnel watches without being a stage has a number, too.
strict_events as (
    select
        entries.subject_id,
        entries.event_number,
        string_agg(entries.stage_id, ', ' order by entries.stage_id) as stages_met
    from fct_stage_entries as entries
    where entries.funnel_id = funnel and mode = 'strict'
    group by entries.subject_id, entries.event_number
),

strict_repeats as (
    select
        *,
        coalesce(
            lag(event_number) over by_subject = event_number - 1
            and lag(stages_met) over by_subject = stages_met,
            false
        ) as is_repeat
    from strict_events
    window by_subject as (partition by subject_id order by event_number)
),

strict_numbers as (
    select
        strict_repeats.subject_id,
        strict_repeats.event_number,
        strict_repeats.event_number - cast(
            sum(case when is_repeat and dim_funnels.collapse_repeats then 1 else 0 end) over (
                partition by strict_repeats.subject_id order by strict_repeats.event_number
            ) as bigint
        ) as order_number
    from strict_repeats
    inner join dim_funnels on dim_funnels.funnel_id = funnel
),

-- Whom an exclusion of the funnel took out altogether does not count here either.
excluded_subjects as (
    select exclusions.subject_id
    from fct_journey_exclusions as exclusions
    where exclusions.funnel_id = funnel
    except
    select journeys.subject_id
    from fct_journeys as journeys
    where journeys.funnel_id = funnel
),

-- How far a record got is not by a win that was undone.
undone_wins as (
    select journeys.subject_id
    from fct_journeys as journeys
    where journeys.funnel_id = funnel and mode = 'furthest'
    group by journeys.subject_id
    having bool_or(journeys.was_won) and not bool_or(journeys.outcome = 'won')
),

met as (
    select
        entries.subject_id,
        coalesce(strict_numbers.order_number, entries.event_number) as order_number,
        entries.entered_at as happened_at,
        steps.step
    from fct_stage_entries as entries
    inner join steps on entries.stage_id = steps.name
    left join strict_numbers
        on
            entries.subject_id = strict_numbers.subject_id
            and entries.event_number = strict_numbers.event_number
    left join excluded_subjects on entries.subject_id = excluded_subjects.subject_id
    left join undone_wins on entries.subject_id = undone_wins.subject_id
    where
        entries.funnel_id = funnel
        and excluded_subjects.subject_id is null
        and (undone_wins.subject_id is null or entries.stage_kind != 'won')
),

$chains

journeys_of_results as (
    select
        results.subject_id,
        coalesce(
            max(journeys.journey_number) filter (where journeys.entered_at <= results.started_at),
            min(journeys.journey_number)
        ) as journey_number
    from results
    inner join fct_journeys as journeys
        on journeys.funnel_id = funnel and results.subject_id = journeys.subject_id
    group by results.subject_id
),

valued as (
    select
        results.subject_id,
        results.started_at,
        results.furthest_step,
        case
            when breakdown = 'all' then 'all'
            when breakdown in ('year', 'quarter', 'month', 'week', 'day')
                then coalesce(
                    cast(
                        cast(date_trunc($period, reporting_date(results.started_at)) as date)
                        as varchar
                    ), '(undated)'
                )
            else coalesce(segments.segment_value, '(no journey)')
        end as segment_value
    from results
    left join journeys_of_results on results.subject_id = journeys_of_results.subject_id
    left join fct_journey_segments as segments
        on
            segments.funnel_id = funnel
            and segments.segment_name = breakdown
            and journeys_of_results.subject_id = segments.subject_id
            and journeys_of_results.journey_number = segments.journey_number
),
