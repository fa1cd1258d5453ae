{#- An instant as HubSpot's connectors write it, as a text that staging reads: older ones count
    milliseconds since 1970. -#}
{% macro hubspot_instant(text) -%}
    {{ return(adapter.dispatch('hubspot_instant')(text)) }}
{%- endmacro %}

{% macro default__hubspot_instant(text) -%}
    case
        when {{ matches_regex(text, "'^[0-9]{9,14}$'") }}
            then cast(make_timestamp(try_cast({{ text }} as bigint) * 1000) as varchar) || 'Z'
        else {{ text }}
    end
{%- endmacro %}

{% macro spark__hubspot_instant(text) -%}
    case
        when {{ matches_regex(text, "'^[0-9]{9,14}$'") }}
            then cast(timestamp_millis(try_cast({{ text }} as bigint)) as string) || 'Z'
        else {{ text }}
    end
{%- endmacro %}
