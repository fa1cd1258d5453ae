{#- Notes in `int_finished_subjects`, where an earlier night left one, that touched subjects are not
    finished, also those that it does not know: their rows may be in kept tables before the night
    dies. `touched` is the table of touched subjects. -#}
{% macro leave_unfinished(touched) -%}
    {%- if has_kept_subjects() -%}
        {%- set finished = finished_subjects() -%}
        delete from {{ finished }}
        where {{ is_touched(finished, touched) }};

        insert into {{ finished }}
        select
            subject_key,
            funnel_id,
            subject_id,
            null as input_hash
        from {{ touched }};
    {%- endif -%}
{%- endmacro %}
