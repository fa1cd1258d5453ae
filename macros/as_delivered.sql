{#- What rows of `int_evidence` are put in order by, also where several are of one instant: for
    `min_by` and `max_by`. -#}
{% macro as_delivered() -%}
    {{ return(adapter.dispatch('as_delivered')()) }}
{%- endmacro %}

{% macro default__as_delivered() -%}
    row(occurred_at, file_number, source_row)
{%- endmacro %}

{% macro spark__as_delivered() -%}
    struct(occurred_at, file_number, source_row)
{%- endmacro %}
