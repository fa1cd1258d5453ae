{#- The API name of a column as the loader spells the column itself: `CloseDate` is `close_date`,
    `Region__c` is `region_c`. -#}
{% macro snake_case(name) -%}
    {{ return(adapter.dispatch('snake_case')(name)) }}
{%- endmacro %}

{% macro default__snake_case(name) -%}
    lower(regexp_replace(regexp_replace(regexp_replace(
        {{ name }}, '([a-z0-9])([A-Z])', '\1_\2', 'g'
    ), '([A-Z])([A-Z][a-z])', '\1_\2', 'g'), '__+', '_', 'g'))
{%- endmacro %}

{% macro spark__snake_case(name) -%}
    lower(regexp_replace(regexp_replace(regexp_replace(
        {{ name }}, '([a-z0-9])([A-Z])', '$1_$2'
    ), '([A-Z])([A-Z][a-z])', '$1_$2'), '__+', '_'))
{%- endmacro %}
