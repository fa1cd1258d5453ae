{#- One end of Newcombe's 95% interval of the difference of two shares, successes / trials less
    other_successes / other_trials, as double; null where one of the trials is 0. It is put together
    of the Wilson intervals of both: the lower end lies below the difference by the square root of
    the sum of (rate - its low)² and (other high - other rate)², the upper end above by that of the
    opposite ends. R. G. Newcombe, Interval estimation for the difference between independent
    proportions, Statistics in Medicine 17 (1998), method 10. -#}
{% macro newcombe_bound(successes, trials, other_successes, other_trials, side) -%}
    {%- if side not in ['low', 'high'] -%}
        {{ exceptions.raise_compiler_error(
            "newcombe_bound: expected side low or high, found " ~ side
        ) }}
    {%- endif -%}
    {%- set other_side = 'high' if side == 'low' else 'low' -%}
    (
        ({{ rate(successes, trials) }}) - ({{ rate(other_successes, other_trials) }})
        {{ '-' if side == 'low' else '+' }} sqrt(
            power(
                ({{ rate(successes, trials) }})
                - ({{ wilson_bound(successes, trials, side) }}),
                2
            )
            + power(
                ({{ rate(other_successes, other_trials) }})
                - ({{ wilson_bound(other_successes, other_trials, other_side) }}),
                2
            )
        )
    )
{%- endmacro %}
