{#- How many seconds the clocks of a time zone are ahead of UTC at a UTC instant. -#}
{% macro utc_offset_seconds(instant, timezone) -%}
    {{ return(adapter.dispatch('utc_offset_seconds')(instant, timezone)) }}
{%- endmacro %}

{% macro default__utc_offset_seconds(instant, timezone) -%}
    {%- set same_instant = 'make_timestamptz(epoch_us(' ~ instant ~ '))' -%}
    cast(
        (epoch_us(timezone({{ timezone }}, {{ same_instant }})) - epoch_us({{ instant }}))
        // 1000000
        as bigint
    )
{%- endmacro %}

{% macro spark__utc_offset_seconds(instant, timezone) -%}
    (unix_seconds(from_utc_timestamp({{ instant }}, {{ timezone }})) - unix_seconds({{ instant }}))
{%- endmacro %}
