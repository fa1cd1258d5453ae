{#- How far a count of some days lies from what another count of other days lets expect, in standard
    errors, as if both were of Poisson; null where one has no days. As in `rate_z` the nearer to 0
    of the score, with the count per day of both together, and of the difference of square roots
    (Anscombe 1948). -#}
{% macro count_z(cases, days, other_cases, other_days) -%}
    {%- set expected -%}
        (cast({{ other_cases }} as double) * {{ days }} / {{ other_days }})
    {%- endset -%}
    {%- set ratio -%} (1e0 + cast({{ days }} as double) / {{ other_days }}) {%- endset -%}
    case
        when coalesce({{ days }}, 0) = 0 or coalesce({{ other_days }}, 0) = 0 then null
        when {{ cases }} + {{ other_cases }} = 0 then 0e0
        else
            sign({{ cases }} - {{ expected }}) * least(
                abs({{ cases }} - {{ expected }}) / sqrt(
                    ({{ cases }} + {{ other_cases }}) * cast({{ days }} as double)
                    / ({{ days }} + {{ other_days }}) * {{ ratio }}
                ),
                2 * abs(sqrt({{ cases }} + 0.375e0) - sqrt({{ expected }} + 0.375e0))
                / sqrt({{ ratio }})
            )
    end
{%- endmacro %}
