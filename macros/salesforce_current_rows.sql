{#- The current row of each id of a table of Salesforce, to look things up in. -#}
{% macro salesforce_current_rows(table) -%}
    {{ return(current_rows(source('salesforce', table), 'id', [
        'try_cast(_fivetran_start as timestamp)',
        'try_cast(_fivetran_synced as timestamp)',
        'try_cast(' ~ connector_instant('_airbyte_extracted_at') ~ ' as timestamp)',
        'try_cast(' ~ connector_instant('_airbyte_emitted_at') ~ ' as timestamp)',
        'try_cast(system_modstamp as timestamp)',
    ])) }}
{%- endmacro %}
