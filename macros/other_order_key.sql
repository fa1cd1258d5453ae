{#- The key under which a subject stands once more, with its entries of one instant in the other
    order than the funnel declares. Keys of subjects are not negative (`subject_key`), so it is
    nobody else's. -#}
{% macro other_order_key(subject_key) -%}
    -{{ subject_key }}
{%- endmacro %}
