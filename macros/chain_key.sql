{#- What the entries of one chain have in common, within a funnel: the subject and, where the funnel
    holds a property constant, its value. All arguments are columns. -#}
{% macro chain_key(subject_id, hold_constant, held_value) -%}
    case
        when {{ hold_constant }} is null then {{ subject_id }}
        else {{ length_prefixed(subject_id) }} || {{ held_value }}
    end
{%- endmacro %}
