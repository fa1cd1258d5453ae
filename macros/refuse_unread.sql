{#- Why a delivered text cannot be used: it is there, and could not be read as what it should be.
    Null where it was read. -#}
{% macro refuse_unread(text, value, reason) -%}
    case when {{ text }} is not null and {{ value }} is null then '{{ reason }}' end
{%- endmacro %}
