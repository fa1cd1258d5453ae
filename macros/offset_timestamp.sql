{#- The UTC instant of a text with an offset; null of a text without one, and of what is no
    timestamp. -#}
{% macro offset_timestamp(text) -%}
    {{ return(adapter.dispatch('offset_timestamp')(text)) }}
{%- endmacro %}

{% macro default__offset_timestamp(text) -%}
    case
        when {{ names_utc_offset(text) }}
            then make_timestamp(epoch_us(try_cast({{ text }} as timestamptz)))
    end
{%- endmacro %}

{% macro spark__offset_timestamp(text) -%}
    case when {{ names_utc_offset(text) }} then try_cast({{ text }} as timestamp) end
{%- endmacro %}
