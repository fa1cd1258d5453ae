{#- A JSON object as text, with those of its keys only that a list has and that name nothing
    personal; null where none is left. The list is SQL for an array of texts. -#}
{% macro json_with_keys(json, keys) -%}
    {{ return(adapter.dispatch('json_with_keys')(json, keys)) }}
{%- endmacro %}

{% macro default__json_with_keys(json, keys) -%}
    nullif(cast(to_json(map_from_entries(list_filter(
        map_entries(cast(cast({{ json }} as json) as map(varchar, varchar))),
        entry -> list_contains({{ keys }}, entry.key) -- noqa: references.from
        and not {{ names_personal_word('entry.key') }}
    ))) as varchar), '{}')
{%- endmacro %}

{% macro spark__json_with_keys(json, keys) -%}
    nullif(to_json(map_filter(
        from_json({{ json }}, 'map<string, string>'),
        (key, value) -> array_contains({{ keys }}, key) and not {{ names_personal_word('key') }}
    )), '{}')
{%- endmacro %}
