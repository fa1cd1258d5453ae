{#- Whether any of some delivered texts says yes; never null. -#}
{% macro hubspot_is_true(texts) -%}
    (
        {%- for text in texts %}
            coalesce(try_cast({{ text }} as boolean), false){{ ' or' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
