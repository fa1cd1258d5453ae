{#- Notes in `int_finished_subjects`, where an earlier night left one, that touched subjects are not
    finished, also those that it does not know: their rows may be in kept tables before the night
    dies. `touched` is the table of touched subjects. -#}
{% macro leave_unfinished(touched) -%}
    {%- if has_kept_subjects() -%}
        delete from {{ finished_subjects() }}
        where exists (
            select 1
            from {{ touched }} as touched_subjects
            where
                touched_subjects.funnel_id = int_finished_subjects.funnel_id
                and touched_subjects.subject_id = int_finished_subjects.subject_id
        );

        insert into {{ finished_subjects() }}
        select
            funnel_id,
            subject_id,
            null as input_hash
        from {{ touched }};
    {%- endif -%}
{%- endmacro %}
