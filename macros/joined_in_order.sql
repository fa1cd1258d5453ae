{#- Aggregate: the texts of a group joined in their own order, whatever the order of the rows. -#}
{% macro joined_in_order(text) -%}
    {{ return(adapter.dispatch('joined_in_order')(text)) }}
{%- endmacro %}

{% macro default__joined_in_order(text) -%}
    array_to_string(list_sort(list({{ text }})), '')
{%- endmacro %}

{% macro spark__joined_in_order(text) -%}
    array_join(sort_array(collect_list({{ text }})), '')
{%- endmacro %}
