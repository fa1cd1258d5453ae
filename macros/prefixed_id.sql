{#- A delivered key as the warehouse uses it: the keys of two systems may be equal and mean different things, so all
    but those of the source `generic` are led by the name of their source. -#}
{% macro prefixed_id(id, source) -%}
    case
        when {{ source }} = 'generic' then {{ clean_text(id) }}
        else {{ source }} || ':' || {{ clean_text(id) }}
    end
{%- endmacro %}
