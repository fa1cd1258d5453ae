{#- Takes the rows of files that are no longer current out of the table that is being built. -#}
{% macro without_replaced_loads() -%}
    {%- set loads = source('raw', 'loads') -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where load_id not in (select load_id from {{ loads }} where is_current)
    {%- endif -%}
{%- endmacro %}
