{#- Takes the rows of touched subjects out of `int_finished_subjects`, where an earlier night left
    one. `touched` is the table of touched subjects. -#}
{% macro leave_unfinished(touched) -%}
    {%- if has_kept_subjects() -%}
        delete from {{ finished_subjects() }}
        where exists (
            select 1
            from {{ touched }} as touched_subjects
            where
                touched_subjects.funnel_id = int_finished_subjects.funnel_id
                and touched_subjects.subject_id = int_finished_subjects.subject_id
        )
    {%- endif -%}
{%- endmacro %}
