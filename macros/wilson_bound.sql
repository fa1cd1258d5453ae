{#- One end of the 95% Wilson score interval of successes / trials, as double; null where trials
    is 0 or null. With s successes, n trials and z = 1.96, unrounded:

        (s + z²/2 ± z · sqrt(s · (n - s) / n + z²/4)) / (n + z²)

    Unlike p ± 1.96 s it stays within 0 and 1, and is honest about few trials and shares of 0 and 1.
    The lower end at s = 0 and the upper end at s = n are spelled out: floats miss them by a hair.
    More successes than trials is no error here, so that a data test can name the row. -#}
{% macro wilson_bound(successes, trials, side) -%}
    {%- if side not in ['low', 'high'] -%}
        {{ exceptions.raise_compiler_error(
            "wilson_bound: expected side low or high, found " ~ side
        ) }}
    {%- endif -%}
    {%- set z = 1.959963984540054 -%}
    case
        when coalesce({{ trials }}, 0) = 0 then null
        {%- if side == 'low' %}
        when {{ successes }} <= 0 then 0e0
        {%- else %}
        when {{ successes }} >= {{ trials }} then 1e0
        {%- endif %}
        else (
            {{ successes }} + {{ z * z / 2 }}e0
            {{ '-' if side == 'low' else '+' }} {{ z }}e0 * sqrt(
                greatest(
                    0e0,
                    cast({{ successes }} as double) * ({{ trials }} - {{ successes }}) / {{ trials }}
                ) + {{ z * z / 4 }}e0
            )
        ) / ({{ trials }} + {{ z * z }}e0)
    end
{%- endmacro %}
