{#- Whether the name of an attribute is one of the customer's (`customer_attributes`). -#}
{% macro is_customer_attribute(attribute) -%}
    {{ attribute }} in ('{{ customer_attributes() | join("', '") }}')
{%- endmacro %}
