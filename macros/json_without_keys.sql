{#- A JSON object as text, without some of its keys; null of null. -#}
{% macro json_without_keys(json, keys) -%}
    {%- if keys is string or not keys -%}
        {{ exceptions.raise_compiler_error(
            "json_without_keys: expected a list of keys, found " ~ keys
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('json_without_keys')(json, keys)) }}
{%- endmacro %}

{% macro default__json_without_keys(json, keys) -%}
    {#- A merge patch takes out the keys that it sets to null. Of no object it makes itself. -#}
    {%- set patch = {} -%}
    {%- for key in keys %}{% do patch.update({key: none}) %}{% endfor -%}
    case
        when {{ json }} is not null
            then cast(json_merge_patch({{ json }}, '{{ tojson(patch) }}') as varchar)
    end
{%- endmacro %}

{% macro spark__json_without_keys(json, keys) -%}
    to_json(map_filter(
        from_json({{ json }}, 'map<string, string>'),
        (key, value) -> key not in ('{{ keys | join("', '") }}')
    ))
{%- endmacro %}
