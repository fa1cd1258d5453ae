{#- A JSON object as text, without the keys that begin in one of some ways; null where none is left.
    A look at the text is cheaper than at its keys, and most have none of them. -#}
{% macro json_without_keys_like(json, prefixes) -%}
    {%- if prefixes is string or not prefixes -%}
        {{ exceptions.raise_compiler_error(
            "json_without_keys_like: expected a list of prefixes, found " ~ prefixes
        ) }}
    {%- endif -%}
    {%- set begins = '(' ~ prefixes | join('|') ~ ')' -%}
    case
        when {{ matches_regex(json, "'\"" ~ begins ~ "'") }}
            then nullif({{ adapter.dispatch('json_without_keys_like')(json, begins) }}, '{}')
        else {{ json }}
    end
{%- endmacro %}

{% macro default__json_without_keys_like(json, begins) -%}
    cast(json_merge_patch(
        {{ json }},
        '{' || array_to_string(
            [
                '"' || key || '":null'
                for key in json_keys({{ json }}) if regexp_matches(key, '^{{ begins }}')
            ],
            ','
        ) || '}'
    ) as varchar)
{%- endmacro %}

{% macro spark__json_without_keys_like(json, begins) -%}
    to_json(map_filter(
        from_json({{ json }}, 'map<string, string>'),
        (key, value) -> not key rlike '^{{ begins }}'
    ))
{%- endmacro %}
