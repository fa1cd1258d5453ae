{#- Of the columns that are not declared those that `segments` names, as a JSON object. A company's
    own column may be named without its `_c`, so that a segment has one attribute in all systems.
    `wanted` is a relation with one row: the names, and with `_c` behind them. -#}
{% macro salesforce_attributes(relation, wanted) -%}
    {{ json_merged(
        json_without_suffix(
            json_with_keys(relation ~ '._extra', wanted ~ '.custom_attributes'), '_c'
        ),
        json_with_keys(relation ~ '._extra', wanted ~ '.attributes')
    ) }}
{%- endmacro %}
