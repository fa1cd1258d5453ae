{#- A JSON object as text, its values as texts, without what is empty and without the keys that a
    regular expression matches, given as a constant; null where nothing is left. -#}
{% macro json_without_matching_keys(json, pattern) -%}
    {{ return(adapter.dispatch('json_without_matching_keys')(json, pattern)) }}
{%- endmacro %}

{% macro default__json_without_matching_keys(json, pattern) -%}
    nullif(cast(to_json(map_from_entries(list_filter(
        map_entries(cast(cast({{ json }} as json) as map(varchar, varchar))),
        lambda entry: entry.value != '' and not regexp_matches(entry.key, '{{ pattern }}')
    ))) as varchar), '{}')
{%- endmacro %}

{% macro spark__json_without_matching_keys(json, pattern) -%}
    nullif(to_json(map_filter(
        from_json({{ json }}, 'map<string, string>'),
        (key, value) -> value != '' and not key rlike '{{ pattern }}'
    )), '{}')
{%- endmacro %}
