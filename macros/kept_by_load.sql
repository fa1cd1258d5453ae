{#- The configuration of a model of events whose table is kept from night to night: rows of files that
    are no longer current are taken out, and its SQL gives those of files that it does not hold
    (`is_of_new_load`). Its column `load_id` tells the version of the file. -#}
{% macro kept_by_load() -%}
    {{ return(kept_table(pre_hook='{{ without_replaced_loads() }}')) }}
{%- endmacro %}
