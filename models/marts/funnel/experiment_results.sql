{#- A mismatch of shares is looked for night after night: it takes more than the usual 5%. -#}
{%- set mismatch_alpha = '0.001' -%}
{#- With a probability of 80% a difference of this size is found: the 80% quantile. -#}
{%- set power_bound = '0.8416212335729143e0' -%}

with

experiments as (
    select
        experiment_id,
        funnel_id,
        stage_id as decisive_stage_id,
        started_on,
        ended_on,
        planned_subjects,
        alpha,
    from {{ ref('experiments') }}
),

variants as (
    select
        experiment_id,
        variant,
        is_control,
        planned_share,
        count(*) over (partition by experiment_id) - 1 as comparisons,
    from {{ ref('experiment_variants') }}
),

experiment_subjects as (
    select
        experiment_id,
        funnel_id,
        subject_id,
        journey_number,
        is_mature,
        variant,
    from {{ ref('int_experiment_subjects') }}
),

journey_stages as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
    from {{ ref('fct_journey_stages') }}
),

ladder as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
    where stage_position > 1
),

spans as (
    select
        funnel_id,
        mature_date,
    from {{ ref('int_trend_spans') }}
),

variant_subjects as (
    select
        experiment_id,
        variant,
        count(*) as subjects,
        count(*) filter (where is_mature) as mature_subjects,
    from experiment_subjects
    group by all
),

variant_stages as (
    select
        experiment_subjects.experiment_id,
        experiment_subjects.variant,
        journey_stages.stage_id,
        count(*) as reached,
    from experiment_subjects
    inner join journey_stages
        on
            experiment_subjects.funnel_id = journey_stages.funnel_id
            and experiment_subjects.subject_id = journey_stages.subject_id
            and experiment_subjects.journey_number = journey_stages.journey_number
    where experiment_subjects.is_mature
    group by all
),

sized_variants as (
    select
        variants.experiment_id,
        variants.variant,
        variants.is_control,
        variants.planned_share,
        variants.comparisons,
        coalesce(variant_subjects.subjects, 0) as subjects,
        coalesce(variant_subjects.mature_subjects, 0) as mature_subjects,
        cast(sum(coalesce(variant_subjects.subjects, 0)) over of_experiment as bigint)
            as all_subjects,
    from variants
    left join variant_subjects
        on
            variants.experiment_id = variant_subjects.experiment_id
            and variants.variant = variant_subjects.variant
    window of_experiment as (partition by variants.experiment_id)
),

-- In exact decimals, whatever the order of the variants.
mismatches as (
    select
        experiment_id,
        cast(sum(cast(
            power(subjects - all_subjects * planned_share, 2)
            / nullif(all_subjects * planned_share, 0) as decimal(28, 9)
        )) as double) as mismatch_chi_square,
    from sized_variants
    group by all
),

results as (
    select
        experiments.experiment_id,
        experiments.funnel_id,
        experiments.started_on,
        experiments.ended_on,
        experiments.planned_subjects,
        experiments.alpha / sized_variants.comparisons as alpha_of_comparison,
        coalesce(spans.mature_date >= experiments.ended_on, false) as is_final,
        sized_variants.variant,
        sized_variants.is_control,
        sized_variants.planned_share,
        sized_variants.comparisons,
        sized_variants.subjects,
        sized_variants.all_subjects,
        sized_variants.mature_subjects,
        mismatches.mismatch_chi_square,
        ladder.stage_id,
        ladder.stage_position,
        ladder.stage_id = experiments.decisive_stage_id as is_decisive,
        coalesce(variant_stages.reached, 0) as reached,
    from experiments
    inner join sized_variants on experiments.experiment_id = sized_variants.experiment_id
    inner join mismatches on experiments.experiment_id = mismatches.experiment_id
    inner join ladder on experiments.funnel_id = ladder.funnel_id
    left join spans on experiments.funnel_id = spans.funnel_id
    left join variant_stages
        on
            sized_variants.experiment_id = variant_stages.experiment_id
            and sized_variants.variant = variant_stages.variant
            and ladder.stage_id = variant_stages.stage_id
),

compared_results as (
    select
        results.*,
        controls.mature_subjects as control_mature_subjects,
        controls.reached as control_reached,
        {{ rate('results.reached', 'results.mature_subjects') }} as rate,
        {{ rate('controls.reached', 'controls.mature_subjects') }} as control_rate,
        {{ rate(
            '(results.reached + controls.reached)',
            '(results.mature_subjects + controls.mature_subjects)'
        ) }} as pooled_rate,
        1e0 / nullif(results.mature_subjects, 0) + 1e0 / nullif(controls.mature_subjects, 0)
            as present_size,
        1e0 / (results.planned_subjects * results.planned_share)
        + 1e0 / (results.planned_subjects * controls.planned_share) as planned_size,
        {{ normal_bound('(results.alpha_of_comparison / 2)') }} + {{ power_bound }}
            as detectable_bound,
    from results
    inner join results as controls
        on
            results.experiment_id = controls.experiment_id
            and results.stage_id = controls.stage_id
            and controls.is_control
),

measured_results as (
    select
        *,
        case when not is_control then rate - control_rate end as difference,
        pooled_rate * (1e0 - pooled_rate) * present_size as variance,
        detectable_bound * sqrt(control_rate * (1e0 - control_rate) * planned_size)
            as detectable_as_planned,
        detectable_bound * sqrt(control_rate * (1e0 - control_rate) * present_size)
            as detectable_at_present,
        comparisons as mismatch_degrees,
    from compared_results
),

scored_results as (
    select
        *,
        difference / sqrt(nullif(variance, 0)) as score,
        -- The mixture expects differences of the size that the plan can find.
        power(detectable_as_planned, 2) as mixture_variance,
    from measured_results
),

tested_results as (
    select
        *,
        {{ normal_two_sided_p('score') }} as p_value,
        {{ chi_square_p('mismatch_chi_square', 'mismatch_degrees') }} as mismatch_p_value,
        case
            when score is not null and mixture_variance > 0
                then
                    least(
                        1e0,
                        sqrt((variance + mixture_variance) / variance)
                        * exp(
                            -power(score, 2) / 2 * mixture_variance
                            / (variance + mixture_variance)
                        )
                    )
        end as sequential_p_value,
        case
            when score is not null and mixture_variance > 0
                then
                    sqrt(
                        variance * (variance + mixture_variance) / mixture_variance
                        * ln(
                            (variance + mixture_variance)
                            / (variance * power(alpha_of_comparison, 2))
                        )
                    )
        end as sequential_margin,
    from scored_results
)

select
    experiment_id,
    funnel_id,
    variant,
    stage_id,
    stage_position,
    is_control,
    is_decisive,
    is_final,
    started_on,
    ended_on,
    planned_subjects,
    planned_share,
    subjects,
    mature_subjects,
    reached,
    rate,
    {{ wilson_low('reached', 'mature_subjects') }} as rate_low,
    {{ wilson_high('reached', 'mature_subjects') }} as rate_high,
    {{ is_reportable('mature_subjects') }} as rate_is_reportable,
    control_mature_subjects,
    control_reached,
    control_rate,
    difference,
    case
        when not is_control
            then
                {{ newcombe_bound(
                    'reached', 'mature_subjects', 'control_reached', 'control_mature_subjects',
                    'low'
                ) }}
    end as difference_low,
    case
        when not is_control
            then
                {{ newcombe_bound(
                    'reached', 'mature_subjects', 'control_reached', 'control_mature_subjects',
                    'high'
                ) }}
    end as difference_high,
    alpha_of_comparison,
    p_value,
    sequential_p_value,
    greatest(-1e0, difference - coalesce(sequential_margin, 2e0)) as sequential_low,
    least(1e0, difference + coalesce(sequential_margin, 2e0)) as sequential_high,
    {{ rate('subjects', 'all_subjects') }} as share_of_subjects,
    mismatch_p_value,
    coalesce(mismatch_p_value < {{ mismatch_alpha }}, false) as is_mismatched,
    detectable_as_planned,
    detectable_at_present,
    case
        when is_control then 'control'
        when not is_decisive then 'not decisive'
        when mismatch_p_value < {{ mismatch_alpha }} then 'not to be trusted'
        when not is_final then 'too early'
        when p_value is null or p_value > alpha_of_comparison then 'no difference found'
        when difference > 0 then 'better'
        else 'worse'
    end as verdict,
from tested_results
