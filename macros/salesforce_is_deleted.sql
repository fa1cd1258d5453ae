{#- Whether a row of Salesforce is gone: in its recycle bin, as only the connector found out, or in
    history mode without a version that lasts. -#}
{% macro salesforce_is_deleted(relation=none) -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    (
        coalesce(try_cast({{ of }}is_deleted as boolean), false)
        or coalesce(try_cast({{ of }}_fivetran_deleted as boolean), false)
        or not coalesce(try_cast({{ of }}_fivetran_active as boolean), true)
        or {{ of }}_ab_cdc_deleted_at is not null
    )
{%- endmacro %}
