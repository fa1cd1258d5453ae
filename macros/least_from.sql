{#- The least of the numbers in a list that is no less than the number; null without any. -#}
{% macro least_from(list, number) -%}
    {{ return(adapter.dispatch('least_from')(list, number)) }}
{%- endmacro %}

{% macro default__least_from(list, number) -%}
    list_min(list_filter({{ list }}, lambda item: item >= {{ number }}))
{%- endmacro %}

{% macro spark__least_from(list, number) -%}
    array_min(filter({{ list }}, item -> item >= {{ number }}))
{%- endmacro %}
