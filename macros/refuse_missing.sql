{#- Why a value that a row cannot do without cannot be used: it is missing. Null where it is
    there. -#}
{% macro refuse_missing(text) -%}
    case when {{ text }} is null then 'missing_value' end
{%- endmacro %}
