{#- The columns that the contract of the model being built declares, in its order: for a model that
    hands on the columns of another, so that they are listed in one place. -#}
{% macro contract_columns() -%}
    {%- if execute and not model.columns -%}
        {{ exceptions.raise_compiler_error(
            "contract_columns: expected columns in the yml of " ~ model.name ~ ", found none."
        ) }}
    {%- endif -%}
    {{ model.columns.keys() | join(',\n    ') }}
{%- endmacro %}
