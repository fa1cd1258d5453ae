{#- The instant at which a connector handled a row, as text. Airbyte writes it into files as
    milliseconds since 1970. -#}
{% macro connector_instant(text) -%}
    case
        when {{ matches_regex(text, "'^[0-9]{13}$'") }}
            then
                cast({{ seconds_later(
                    "timestamp '1970-01-01'", 'cast(substr(' ~ text ~ ', 1, 10) as bigint)'
                ) }} as {{ dbt.type_string() }}) || '.' || substr({{ text }}, 11)
        else {{ text }}
    end
{%- endmacro %}
