{#- First day of the period of a grain that holds the date; null for the grain `all`.
    Weeks are those of ISO 8601, from Monday on. -#}
{% macro cohort_date(grain, date) -%}
    {%- if grain not in cohort_grains() -%}
        {{ exceptions.raise_compiler_error(
            "cohort_date: expected one of " ~ cohort_grains() | join(', ') ~ ", found " ~ grain
        ) }}
    {%- elif grain == 'all' -%}
        cast(null as date)
    {%- else -%}
        cast(date_trunc('{{ grain }}', {{ date }}) as date)
    {%- endif -%}
{%- endmacro %}
