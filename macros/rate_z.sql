{#- How far a share, successes / trials, lies from another one in standard errors, as if both were
    chance alone; null where one of the trials is 0 or null. Of two statistics the one nearer to 0,
    as on few cases each has too long a tail on one side: the score with pooled rate, and the
    difference of angles (F. J. Anscombe, The Transformation of Poisson, Binomial and
    Negative-Binomial Data, Biometrika 35, 1948). -#}
{% macro rate_z(successes, trials, other_successes, other_trials) -%}
    {%- set pooled_successes = '(' ~ successes ~ ' + ' ~ other_successes ~ ')' -%}
    {%- set pooled_trials = '(' ~ trials ~ ' + ' ~ other_trials ~ ')' -%}
    {%- set difference -%}
        ({{ rate(successes, trials) }} - {{ rate(other_successes, other_trials) }})
    {%- endset -%}
    case
        when coalesce({{ trials }}, 0) = 0 or coalesce({{ other_trials }}, 0) = 0 then null
        when {{ pooled_successes }} = 0 or {{ pooled_successes }} = {{ pooled_trials }} then 0e0
        else
            sign({{ difference }}) * least(
                abs({{ difference }}) / sqrt(
                    {{ rate(pooled_successes, pooled_trials) }}
                    * (1e0 - {{ rate(pooled_successes, pooled_trials) }})
                    * (1e0 / {{ trials }} + 1e0 / {{ other_trials }})
                ),
                2 * abs(
                    asin(sqrt(({{ successes }} + 0.375e0) / ({{ trials }} + 0.75e0)))
                    - asin(sqrt(({{ other_successes }} + 0.375e0) / ({{ other_trials }} + 0.75e0)))
                ) / sqrt(1e0 / ({{ trials }} + 0.5e0) + 1e0 / ({{ other_trials }} + 0.5e0))
            )
    end
{%- endmacro %}
