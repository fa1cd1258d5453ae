{#- Condition: a row of a relation is of a subject that the table of touched subjects has. -#}
{% macro is_touched(relation, touched) -%}
    exists (
        select 1
        from {{ touched }} as touched_subjects
        where
            touched_subjects.funnel_id = {{ relation.identifier }}.funnel_id
            and touched_subjects.subject_id = {{ relation.identifier }}.subject_id
    )
{%- endmacro %}
