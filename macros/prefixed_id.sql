{#- A delivered key as the warehouse uses it. Keys of two systems may be equal and mean different
    things, so the name of the source leads all but those of the source `generic`. -#}
{% macro prefixed_id(id, source) -%}
    case
        when {{ source }} = 'generic' then {{ clean_text(id) }}
        else {{ source }} || ':' || {{ clean_text(id) }}
    end
{%- endmacro %}
