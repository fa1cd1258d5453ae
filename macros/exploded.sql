{#- One row for each item of a list; a select that has it as a column repeats its other columns. -#}
{% macro exploded(list) -%}
    {{ return(adapter.dispatch('exploded')(list)) }}
{%- endmacro %}

{% macro default__exploded(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro spark__exploded(list) -%}
    explode({{ list }})
{%- endmacro %}
