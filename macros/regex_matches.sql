{#- What the first group of a regular expression is at each place where it matches, as a list. -#}
{% macro regex_matches(text, pattern) -%}
    {{ return(adapter.dispatch('regex_matches')(text, pattern)) }}
{%- endmacro %}

{% macro default__regex_matches(text, pattern) -%}
    regexp_extract_all({{ text }}, {{ pattern }}, 1)
{%- endmacro %}
