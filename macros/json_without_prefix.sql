{#- A JSON object of texts, as text, without a prefix in the names of its keys. The prefix is a
    regular expression as a constant. Of two keys that come to be one the later counts. -#}
{% macro json_without_prefix(json, prefix) -%}
    {{ return(adapter.dispatch('json_without_prefix')(json, prefix)) }}
{%- endmacro %}

{% macro default__json_without_prefix(json, prefix) -%}
    {#- Within a value a quote is escaped, so that none follows a comma or brace there. -#}
    case
        when {{ json }} is not null
            then cast(json_merge_patch('{}', regexp_replace(
                {{ json }}, '([{,])"{{ prefix }}', '\1"', 'g'
            )) as varchar)
    end
{%- endmacro %}

{% macro spark__json_without_prefix(json, prefix) -%}
    {#- Needs spark.sql.mapKeyDedupPolicy = LAST_WIN. -#}
    to_json(transform_keys(
        from_json({{ json }}, 'map<string, string>'),
        (key, value) -> regexp_replace(key, '^{{ prefix }}', '')
    ))
{%- endmacro %}
