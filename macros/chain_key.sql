{#- What the entries of one chain have in common: the subject and, where the funnel holds a property
    constant, its value. All arguments are columns. -#}
{% macro chain_key(subject_key, hold_constant, held_value) -%}
    case
        when {{ hold_constant }} is null then {{ subject_key }}
        else {{ positive_number(narrow_hash([subject_key, held_value])) }}
    end
{%- endmacro %}
