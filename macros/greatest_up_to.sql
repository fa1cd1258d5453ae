{#- The greatest of the numbers in a list that is no greater than the number; null without any. -#}
{% macro greatest_up_to(list, number) -%}
    {{ return(adapter.dispatch('greatest_up_to')(list, number)) }}
{%- endmacro %}

{% macro default__greatest_up_to(list, number) -%}
    list_max(list_filter({{ list }}, lambda item: item <= {{ number }}))
{%- endmacro %}

{% macro spark__greatest_up_to(list, number) -%}
    array_max(filter({{ list }}, item -> item <= {{ number }}))
{%- endmacro %}
