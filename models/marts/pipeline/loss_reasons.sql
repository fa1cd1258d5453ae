with

deals as (
    select
        funnel_id,
        deal_id,
        furthest_stage_id,
        furthest_stage_position,
        loss_reason,
        ended_date,
        amount,
        {{ microseconds_of('seconds_to_outcome') }} as microseconds_to_loss,
    from {{ ref('int_deals') }}
    where outcome = 'lost'
),

records as (
    select
        record_id,
        {{ json_text('attributes', 'competitor') }} as competitor,
    from {{ ref('int_surviving_records') }}
),

loss_endings as (
    select
        rule_position,
        funnel_id,
        match_type,
        match_value,
        ending,
    from {{ ref('loss_endings') }}
),

reasons as (
    select distinct
        funnel_id,
        loss_reason,
    from deals
),

reason_endings as (
    select
        reasons.funnel_id,
        reasons.loss_reason,
        min_by(loss_endings.ending, loss_endings.rule_position) as ending,
    from reasons
    cross join loss_endings
    where
        coalesce(loss_endings.funnel_id, reasons.funnel_id) = reasons.funnel_id
        and {{ matches_rule(
            'reasons.loss_reason', 'loss_endings.match_type', 'loss_endings.match_value'
        ) }}
    group by all
),

lost_deals as (
    select
        deals.funnel_id,
        deals.furthest_stage_id as stage_id,
        deals.furthest_stage_position as stage_position,
        case
            when deals.loss_reason is null then '(missing)'
            else coalesce(reason_endings.ending, 'other')
        end as ending,
        {{ segment_value('deals.loss_reason') }} as loss_reason,
        {{ segment_value('records.competitor') }} as competitor,
        deals.ended_date,
        deals.amount,
        deals.microseconds_to_loss,
    from deals
    inner join records
        on deals.deal_id = records.record_id
    left join reason_endings
        on
            deals.funnel_id = reason_endings.funnel_id
            and deals.loss_reason = reason_endings.loss_reason
),

losses_of_periods as (
    {% for grain in ['all', 'year', 'quarter', 'month'] %}
        {{ 'union all' if not loop.first }}
        select
            lost_deals.*,
            '{{ grain }}' as period_grain,
            {{ cohort_date(grain, 'lost_deals.ended_date') }} as period_date,
        from lost_deals
        {% if grain != 'all' %}
            where lost_deals.ended_date is not null
        {% endif %}
    {% endfor %}
),

breakdowns as (
    select
        'all' as breakdown,
        false as by_ending,
        false as by_reason,
        false as by_competitor,
    union all
    select
        'ending' as breakdown,
        true as by_ending,
        false as by_reason,
        false as by_competitor,
    union all
    select
        'reason' as breakdown,
        true as by_ending,
        true as by_reason,
        false as by_competitor,
    union all
    select
        'competitor' as breakdown,
        true as by_ending,
        true as by_reason,
        true as by_competitor,
),

stage_scopes as (
    select false as by_stage
    union all
    select true as by_stage
),

loss_groups as (
    select
        losses_of_periods.funnel_id,
        losses_of_periods.period_grain,
        losses_of_periods.period_date,
        breakdowns.breakdown,
        case when stage_scopes.by_stage then losses_of_periods.stage_id else 'all' end as stage_id,
        case when stage_scopes.by_stage then losses_of_periods.stage_position end
            as stage_position,
        case when breakdowns.by_ending then losses_of_periods.ending else 'all' end as ending,
        case when breakdowns.by_reason then losses_of_periods.loss_reason else 'all' end
            as loss_reason,
        case when breakdowns.by_competitor then losses_of_periods.competitor else 'all' end
            as competitor,
        count(*) as lost_deals,
        sum(losses_of_periods.amount) as amount_lost,
        count(*) - count(losses_of_periods.amount) as amount_unknown,
        {{ sorted_numbers('losses_of_periods.microseconds_to_loss') }} as sorted_microseconds,
    from losses_of_periods
    cross join breakdowns
    cross join stage_scopes
    group by all
),

counted_losses as (
    select
        *,
        max(lost_deals) over (partition by funnel_id, period_grain, period_date)
            as period_lost_deals,
        {{ list_length('sorted_microseconds') }} as dated_deals,
    from loss_groups
)

select
    funnel_id,
    period_grain,
    period_date,
    breakdown,
    stage_id,
    stage_position,
    ending,
    loss_reason,
    competitor,
    lost_deals,
    period_lost_deals,
    {{ rate('lost_deals', 'period_lost_deals') }} as share_of_losses,
    {{ wilson_low('lost_deals', 'period_lost_deals') }} as share_of_losses_low,
    {{ wilson_high('lost_deals', 'period_lost_deals') }} as share_of_losses_high,
    {{ is_reportable('period_lost_deals') }} as share_of_losses_is_reportable,
    cast(amount_lost as decimal(18, 4)) as amount_lost,
    amount_unknown,
    coalesce(dated_deals, 0) as dated_deals,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }} / 86400e0
        as median_days_to_loss,
    {{ seconds_of(median_low('sorted_microseconds')) }} / 86400e0 as median_days_to_loss_low,
    {{ seconds_of(median_high('sorted_microseconds')) }} / 86400e0 as median_days_to_loss_high,
    {{ is_reportable('dated_deals') }} as median_days_to_loss_is_reportable,
from counted_losses
