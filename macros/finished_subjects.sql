{#- The table `int_finished_subjects` as an earlier night left it; none where there is none, or where
    dbt is asked to make all tables anew (`--full-refresh`). -#}
{% macro finished_subjects() -%}
    {%- if not flags.FULL_REFRESH -%}
        {{ return(adapter.get_relation(
            database=target.database, schema='intermediate', identifier='int_finished_subjects'
        )) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
