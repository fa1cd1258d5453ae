{#- The parameters of a GA4 event, a JSON array of `{key, value: {string_value, int_value, ...}}`,
    as one JSON object, its keys behind a prefix. In the order of the keys and with numbers in one
    form, so that the exports of a day as JSON Lines and as Parquet give the same text. -#}
{% macro json_of_params(params, prefix='') -%}
    {{ return(adapter.dispatch('json_of_params')(params, prefix)) }}
{%- endmacro %}

{% macro default__json_of_params(params, prefix) -%}
    {%- set structure -%}
        '[{"key": "VARCHAR", "value": {"string_value": "VARCHAR", "int_value": "BIGINT", "float_value": "DOUBLE", "double_value": "DOUBLE"}}]'
    {%- endset -%}
    {%- set value -%}
        coalesce(
            cast(to_json(param.value.string_value) as varchar),
            cast(param.value.int_value as varchar),
            cast(coalesce(param.value.double_value, param.value.float_value) as varchar)
        )
    {%- endset -%}
    nullif('{' || array_to_string(
        list_sort([
            cast(to_json('{{ prefix }}' || param.key) as varchar) || ':' || {{ value }}
            for param in json_transform({{ params }}, {{ structure }})
        ]),
        ','
    ) || '}', '{}')
{%- endmacro %}

{% macro spark__json_of_params(params, prefix) -%}
    {%- set structure -%}
        'array<struct<key: string, value: struct<string_value: string, int_value: bigint, float_value: double, double_value: double>>>'
    {%- endset -%}
    nullif(to_json(map_from_entries(array_sort(transform(
        from_json({{ params }}, {{ structure }}),
        param -> struct('{{ prefix }}' || param.key, coalesce(
            param.value.string_value,
            cast(param.value.int_value as string),
            cast(coalesce(param.value.double_value, param.value.float_value) as string)
        ))
    )))), '{}')
{%- endmacro %}
