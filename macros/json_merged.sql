{#- Two JSON objects as one, as text; either may be null. Where both have a key, that of `stronger`
    counts. -#}
{% macro json_merged(weaker, stronger) -%}
    case
        when {{ weaker }} is null then {{ stronger }}
        when {{ stronger }} is null then {{ weaker }}
        else {{ adapter.dispatch('json_merged')(weaker, stronger) }}
    end
{%- endmacro %}

{% macro default__json_merged(weaker, stronger) -%}
    cast(json_merge_patch({{ weaker }}, {{ stronger }}) as varchar)
{%- endmacro %}

{% macro spark__json_merged(weaker, stronger) -%}
    to_json(map_concat(
        map_filter(
            from_json({{ weaker }}, 'map<string, string>'),
            (key, value) -> not array_contains(json_object_keys({{ stronger }}), key)
        ),
        from_json({{ stronger }}, 'map<string, string>')
    ))
{%- endmacro %}
