{#- Whether a key is that of a subject in the other order (`other_order_key`), which no fact may
    count. -#}
{% macro is_other_order(subject_key) -%}
    {{ subject_key }} < 0
{%- endmacro %}
