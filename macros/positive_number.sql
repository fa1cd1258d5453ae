{#- A hash of 64 bits (`narrow_hash`) as a number of 63 bits that is not negative. -#}
{% macro positive_number(hash) -%}
    {{ return(adapter.dispatch('positive_number')(hash)) }}
{%- endmacro %}

{% macro default__positive_number(hash) -%}
    cast({{ hash }} >> 1 as bigint)
{%- endmacro %}

{% macro spark__positive_number(hash) -%}
    shiftrightunsigned({{ hash }}, 1)
{%- endmacro %}
