{#- A JSON object of texts, as text, without a suffix in the names of its keys; null stays null. The
    suffix is a constant of letters, digits and underscores. -#}
{% macro json_without_suffix(json, suffix) -%}
    {{ return(adapter.dispatch('json_without_suffix')(json, suffix)) }}
{%- endmacro %}

{% macro default__json_without_suffix(json, suffix) -%}
    {#- Within a value a quote is escaped, so that no key ends there. -#}
    replace({{ json }}, '{{ suffix }}":', '":')
{%- endmacro %}

{% macro spark__json_without_suffix(json, suffix) -%}
    {#- Needs spark.sql.mapKeyDedupPolicy = LAST_WIN. -#}
    to_json(transform_keys(
        from_json({{ json }}, 'map<string, string>'),
        (key, value) -> regexp_replace(key, '{{ suffix }}$', '')
    ))
{%- endmacro %}
