{#- An instant as connectors write it, as a text that staging reads. Some count milliseconds since
    1970: older ones of HubSpot, and Airbyte in what it writes into files. -#}
{% macro connector_instant(text) -%}
    {{ return(adapter.dispatch('connector_instant')(text)) }}
{%- endmacro %}

{% macro default__connector_instant(text) -%}
    case
        when {{ matches_regex(text, "'^[0-9]{9,14}$'") }}
            then cast(make_timestamp(try_cast({{ text }} as bigint) * 1000) as varchar) || 'Z'
        else {{ text }}
    end
{%- endmacro %}

{% macro spark__connector_instant(text) -%}
    case
        when {{ matches_regex(text, "'^[0-9]{9,14}$'") }}
            then cast(timestamp_millis(try_cast({{ text }} as bigint)) as string) || 'Z'
        else {{ text }}
    end
{%- endmacro %}
