{#- When a row of Salesforce was deleted, as far as anything tells: a deletion is the last change of
    a row in the recycle bin; of one that is gone altogether, only the connector knows. -#}
{% macro salesforce_deleted_at(relation=none) -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    case
        when {{ of }}_ab_cdc_deleted_at is not null then {{ of }}_ab_cdc_deleted_at
        when try_cast({{ of }}is_deleted as boolean)
            then coalesce(
                {{ of }}system_modstamp,
                {{ of }}last_modified_date,
                {{ salesforce_updated_at(relation) }}
            )
        when {{ salesforce_is_deleted(relation) }} then {{ salesforce_updated_at(relation) }}
    end
{%- endmacro %}
