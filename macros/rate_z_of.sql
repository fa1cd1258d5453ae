{#- How far a share, successes / trials, lies from a rate that is given, in standard errors, as if
    it were chance alone; null where trials is 0 or null, or the rate is not between 0 and 1. As
    in `rate_z` the nearer to 0 of the score and of the difference of angles. -#}
{% macro rate_z_of(successes, trials, given_rate) -%}
    {%- set difference -%} ({{ rate(successes, trials) }} - {{ given_rate }}) {%- endset -%}
    case
        when
            coalesce({{ trials }}, 0) > 0 and {{ given_rate }} > 0 and {{ given_rate }} < 1
            then
                sign({{ difference }}) * least(
                    abs({{ difference }})
                    / sqrt({{ given_rate }} * (1e0 - {{ given_rate }}) / {{ trials }}),
                    2 * abs(
                        asin(sqrt(({{ successes }} + 0.375e0) / ({{ trials }} + 0.75e0)))
                        - asin(sqrt({{ given_rate }}))
                    ) * sqrt({{ trials }} + 0.5e0)
                )
    end
{%- endmacro %}
