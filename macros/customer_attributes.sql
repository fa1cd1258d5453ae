{#- The attributes of a segment that are of the customer behind its subject, not of its events or
    records, each with what it is before the first order. -#}
{% macro customer_attributes() -%}
    {{ return({
        'customer_state': "'new'",
        'customer_orders': "'0'",
        'customer_revenue': "'0'",
        'customer_rfm_segment': 'cast(null as varchar)',
    }) }}
{%- endmacro %}
