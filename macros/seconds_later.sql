{#- A timestamp and so many seconds later, or earlier where they are negative. -#}
{% macro seconds_later(instant, seconds) -%}
    {{ return(adapter.dispatch('seconds_later')(instant, seconds)) }}
{%- endmacro %}

{% macro default__seconds_later(instant, seconds) -%}
    make_timestamp(epoch_us({{ instant }}) + {{ seconds }} * 1000000)
{%- endmacro %}

{% macro spark__seconds_later(instant, seconds) -%}
    timestamp_micros(unix_micros({{ instant }}) + {{ seconds }} * 1000000)
{%- endmacro %}
