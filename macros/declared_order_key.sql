{#- Whose key it is: that of the subject, also where it stands in the other order
    (`other_order_key`). -#}
{% macro declared_order_key(subject_id) -%}
    case
        when {{ is_other_order(subject_id) }} then substr({{ subject_id }}, 2)
        else {{ subject_id }}
    end
{%- endmacro %}
