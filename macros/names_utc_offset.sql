{#- Whether an ISO 8601 text says how far from UTC it is: a letter or a sign after the date, not
    counting the `T` between date and time. -#}
{% macro names_utc_offset(text) -%}
    {{ matches_regex('substr(' ~ text ~ ', 12)', "'[-+A-Za-z]'") }}
{%- endmacro %}
