{#- A timestamp so many days of 24 hours earlier. -#}
{% macro days_before(instant, days) -%}
    {{ instant }} - interval {{ days }} day
{%- endmacro %}
