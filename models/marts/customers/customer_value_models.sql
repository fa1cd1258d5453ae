with

histories as (
    select
        fit,
        known_until_date,
        days_to_judge,
    from {{ ref('int_value_histories') }}
    group by all
),

models as (
    select
        fit,
        customers,
        repeat_customers,
        priced_repeat_customers,
        unfitted_for,
        log_likelihood,
        r,
        alpha_weeks,
        a,
        b,
        amounts_unfitted_for,
        amounts_log_likelihood,
        p,
        q,
        v,
    from {{ ref('int_value_models') }}
)

select
    models.fit,
    models.unfitted_for is null as is_fitted,
    models.unfitted_for,
    models.amounts_unfitted_for is null as amounts_are_fitted,
    models.amounts_unfitted_for,
    histories.known_until_date,
    cast(histories.days_to_judge as integer) as days_to_judge,
    models.customers,
    models.repeat_customers,
    models.priced_repeat_customers,
    models.r,
    models.alpha_weeks,
    models.a,
    models.b,
    models.log_likelihood,
    models.p,
    models.q,
    models.v,
    models.amounts_log_likelihood,
from models
left join histories
    on models.fit = histories.fit
