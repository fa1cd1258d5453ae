{#- The number that stands for a subject of a funnel between its entries and the facts: millions of
    rows are joined and sorted several times as fast by it as by text. Both arguments are
    columns. -#}
{% macro subject_key(funnel_id, subject_id) -%}
    {{ return(positive_number(narrow_hash([funnel_id, subject_id]))) }}
{%- endmacro %}
