{#- The instant a number of hours, also a fraction, after another. -#}
{% macro hours_after(instant, hours) -%}
    {{ return(adapter.dispatch('hours_after')(instant, hours)) }}
{%- endmacro %}

{% macro default__hours_after(instant, hours) -%}
    {{ instant }} + to_microseconds(cast({{ hours }} * 3600000000 as bigint))
{%- endmacro %}

{% macro spark__hours_after(instant, hours) -%}
    timestampadd(microsecond, cast({{ hours }} * 3600000000 as bigint), {{ instant }})
{%- endmacro %}
