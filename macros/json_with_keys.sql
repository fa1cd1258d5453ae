{#- A JSON object as text with some of its keys alone; null where it has none of them. -#}
{% macro json_with_keys(json, keys) -%}
    {%- if keys is string or not keys -%}
        {{ exceptions.raise_compiler_error(
            "json_with_keys: expected a list of keys, found " ~ keys
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('json_with_keys')(json, keys)) }}
{%- endmacro %}

{% macro default__json_with_keys(json, keys) -%}
    {#- A merge patch leaves out what is null. -#}
    nullif(cast(json_merge_patch('{}', json_object(
        {%- for key in keys %}
            '{{ key }}', {{ json_text(json, key) }}{{ ',' if not loop.last }}
        {%- endfor %}
    )) as varchar), '{}')
{%- endmacro %}

{% macro spark__json_with_keys(json, keys) -%}
    nullif(to_json(map_filter(
        from_json({{ json }}, 'map<string, string>'),
        (key, value) -> key in ('{{ keys | join("', '") }}') and value is not null
    )), '{}')
{%- endmacro %}
