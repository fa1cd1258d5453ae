{#- The p-value corrected by Benjamini and Hochberg, of `counted_p_value` and the same family: none
    counts more than a larger one. As double from 0 to 1; null for null. -#}
{% macro q_value(p_value, counted, family=none) -%}
    {%- set partition = 'partition by ' ~ family if family else '' -%}
    case
        when {{ p_value }} is not null
            -- 188 times and a 188th of a double may be a little less than that double.
            then
                least(
                    1e0,
                    greatest(
                        {{ p_value }},
                        min({{ counted }}) over (
                            {{ partition }} order by {{ p_value }} desc nulls last
                        )
                    )
                )
    end
{%- endmacro %}
