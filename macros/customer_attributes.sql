{#- The attributes of a segment that are of the customer behind its subject, not of its events or
    records. -#}
{% macro customer_attributes() -%}
    {{ return(['customer_state', 'customer_orders', 'customer_revenue', 'customer_rfm_segment']) }}
{%- endmacro %}
