{#- A JSON object as text, of SQL for its values, which are texts, by their keys; without those that
    are null, and null where all of them are. -#}
{% macro json_of_values(values) -%}
    {%- if values is not mapping or not values -%}
        {{ exceptions.raise_compiler_error(
            "json_of_values: expected a mapping of keys to SQL, found " ~ values
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('json_of_values')(values)) }}
{%- endmacro %}

{% macro default__json_of_values(values) -%}
    {#- Half the time of making an object with nulls and taking them out again. -#}
    {%- set members = [] -%}
    {%- for key, value in values.items() %}
        {%- do members.append("'\"" ~ key ~ "\":' || cast(to_json(" ~ value ~ ") as varchar)") %}
    {%- endfor -%}
    nullif('{' || concat_ws(',', {{ members | join(', ') }}) || '}', '{}')
{%- endmacro %}

{% macro spark__json_of_values(values) -%}
    {%- set pairs = [] -%}
    {%- for key, value in values.items() %}{% do pairs.append("'" ~ key ~ "', " ~ value) %}{% endfor -%}
    nullif(to_json(named_struct({{ pairs | join(', ') }})), '{}')
{%- endmacro %}
