{#- A text of whole microseconds since 1970 as an ISO 8601 text in UTC; what is no such number, or
    none of this era, stays as it is, so that staging refuses it by its text. -#}
{% macro timestamp_of_microseconds(text) -%}
    case
        when try_cast({{ text }} as bigint) between -9000000000000000 and 9000000000000000
            then {{ adapter.dispatch('timestamp_of_microseconds')(text) }}
        else {{ text }}
    end
{%- endmacro %}

{% macro default__timestamp_of_microseconds(text) -%}
    cast(make_timestamp(cast({{ text }} as bigint)) as varchar) || 'Z'
{%- endmacro %}

{% macro spark__timestamp_of_microseconds(text) -%}
    cast(timestamp_micros(cast({{ text }} as bigint)) as string) || 'Z'
{%- endmacro %}
