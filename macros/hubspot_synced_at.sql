{#- When a connector fetched a row: of several versions of an object the latest counts. -#}
{% macro hubspot_synced_at() -%}
    {{ connector_instant('coalesce(_fivetran_synced, _airbyte_extracted_at, _airbyte_emitted_at)') }}
{%- endmacro %}
