{#- The configuration of a model whose table is kept from night to night: `pre_hook` takes rows out of
    it, and those that its SQL gives are put in, in one transaction. -#}
{% macro kept_table(pre_hook) -%}
    {{ return({
        'materialized': 'incremental',
        'incremental_strategy': 'append',
        'on_schema_change': 'fail',
        'pre_hook': pre_hook,
    }) }}
{%- endmacro %}
