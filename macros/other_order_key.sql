{#- The key under which a subject stands once more, with its entries of one instant in the other
    order than the funnel declares. Staged keys never begin with a blank, so it is nobody else's. -#}
{% macro other_order_key(subject_id) -%}
    ' ' || {{ subject_id }}
{%- endmacro %}
