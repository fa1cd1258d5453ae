{#- The properties of a HubSpot object that may become attributes of a record, as JSON by their own
    names: those that are not read otherwise (`read`), tell nothing of a person, and are not
    HubSpot's or the connector's book-keeping. -#}
{% macro hubspot_attributes(read) -%}
    {%- set bookkeeping = [
        '_airbyte', '_fivetran', 'hs_all_', 'hs_calculated_', 'hs_created_by', 'hs_createdate',
        'hs_cumulative_', 'hs_date_', 'hs_latest_', 'hs_object_', 'hs_time_in_', 'hs_updated_by',
        'hs_user_ids', 'hs_v2_', 'days_to_close', 'portal_id',
    ] -%}
    {{ json_without_matching_keys(
        json_merged('properties', json_without_prefix('_extra', '(property|properties)_')),
        '^(' ~ (read | join('|')) ~ ')$|^(' ~ (bookkeeping | join('|')) ~ ')|'
        ~ hubspot_personal_names()
    ) }}
{%- endmacro %}
