{#- What the clock on the wall showed, of a text without an offset; null of a text with one, and of
    what is no timestamp. -#}
{% macro naive_timestamp(text) -%}
    case when not {{ names_utc_offset(text) }} then try_cast({{ text }} as timestamp) end
{%- endmacro %}
