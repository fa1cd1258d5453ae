{#- Which of several versions of a row of Salesforce is the later one: when the connector wrote it,
    else when Salesforce changed it. In history mode a version that ended is told apart from the
    same one while it lasted, and both from the next. -#}
{% macro salesforce_updated_at(relation=none) -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    coalesce(
        case
            when
                not try_cast({{ of }}_fivetran_active as boolean)
                and {{ of }}_fivetran_end not like '9999%'
                then {{ of }}_fivetran_end
        end,
        {{ of }}_fivetran_start,
        {{ of }}_fivetran_synced,
        {{ connector_instant(of ~ '_airbyte_extracted_at') }},
        {{ connector_instant(of ~ '_airbyte_emitted_at') }},
        {{ of }}system_modstamp,
        {{ of }}last_modified_date
    )
{%- endmacro %}
