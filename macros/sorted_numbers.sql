{#- Aggregate: the numbers of a group that are not null, as a list from least to greatest. What
    `quantile_of_sorted`, `median_low` and `median_high` read. Null or empty without any. -#}
{% macro sorted_numbers(number) -%}
    {{ return(adapter.dispatch('sorted_numbers')(number)) }}
{%- endmacro %}

{% macro default__sorted_numbers(number) -%}
    list_sort(list({{ number }}) filter (where {{ number }} is not null), 'asc')
{%- endmacro %}

{% macro spark__sorted_numbers(number) -%}
    sort_array(collect_list({{ number }}))
{%- endmacro %}
