{#- The rows of a model that are of touched subjects (`int_touched_subjects`); all rows in a build
    that holds none yet. For the `from` of a model between the entries of subjects and the facts. -#}
{% macro of_touched_subjects(model) -%}
    {%- set rows, touched_subjects = ref(model), ref('int_touched_subjects') -%}
    {%- if not has_kept_subjects() -%}
        {{ rows }}
    {%- else -%}
        (
            select all_rows.*
            from {{ rows }} as all_rows
            inner join {{ touched_subjects }} as touched_subjects
                on all_rows.subject_key = touched_subjects.subject_key
        )
    {%- endif -%}
{%- endmacro %}
