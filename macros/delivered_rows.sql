{#- All rows that were delivered for an extract, by whatever source, with the columns of the generic
    one: those of `generic` as they are, and of each system that `translations` names the rows of
    `stg_<system>__<extract>`, which has the generic columns it knows under their generic names. -#}
{% macro delivered_rows(extract) -%}
    {%- if extract not in var('translations') -%}
        {{ exceptions.raise_compiler_error(
            "delivered_rows: expected an extract that the variable `translations` lists, found "
            ~ extract
        ) }}
    {%- endif -%}
    select * from {{ source('generic', extract) }}
    {%- for system in var('translations')[extract] %}
        {{ union_by_name() }}
        select * from {{ ref('stg_' ~ system ~ '__' ~ extract) }}
    {%- endfor %}
{%- endmacro %}
