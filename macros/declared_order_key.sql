{#- Whose key it is: that of the subject, also where it stands in the other order
    (`other_order_key`). -#}
{% macro declared_order_key(subject_key) -%}
    abs({{ subject_key }})
{%- endmacro %}
