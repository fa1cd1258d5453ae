{#- The item of a list at a position, the first being 1. The position is a number, or SQL for a
    bigint that is known to be one of the list's. -#}
{% macro list_item(list, position) -%}
    {%- if position is number and (position is not integer or position < 1) -%}
        {{ exceptions.raise_compiler_error(
            "list_item: expected a position from 1 on, found " ~ position
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('list_item')(list, position)) }}
{%- endmacro %}

{% macro default__list_item(list, position) -%}
    {{ list }}[{{ position }}]
{%- endmacro %}

{% macro spark__list_item(list, position) -%}
    element_at({{ list }}, cast({{ position }} as int))
{%- endmacro %}
