{#- Whether the name of a column, in snake case, has a word in it that is used of what tells who a
    person is. -#}
{% macro names_personal_word(name) -%}
    {{ matches_regex(name, "'" ~ personal_words() ~ "'") }}
{%- endmacro %}
