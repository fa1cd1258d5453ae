{#- The value of a segment as the marts show it: a missing one is `(missing)`, and a text that the data
    itself spells so is quoted, to keep the two apart. -#}
{% macro segment_value(value) -%}
    case
        when {{ value }} is null then '(missing)'
        when trim({{ value }}, '"') = '(missing)' then '"' || {{ value }} || '"'
        else {{ value }}
    end
{%- endmacro %}
