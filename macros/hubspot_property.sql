{#- A property of a HubSpot object, by whatever connector: Fivetran has it as `property_<name>`,
    Airbyte as `properties_<name>` or within the JSON object `properties`. -#}
{% macro hubspot_property(name) -%}
    coalesce(
        property_{{ name }}, properties_{{ name }}, {{ json_text('properties', name) }}
    )
{%- endmacro %}
