{#- Takes the rows of touched subjects out of the table that is being built. Where an earlier night
    died before it had finished any subject, all rows. -#}
{% macro without_touched_subjects() -%}
    {%- set touched_subjects = ref('int_touched_subjects') -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        {%- if has_kept_subjects() %}
        where exists (
            select 1
            from {{ touched_subjects }} as touched_subjects
            where
                touched_subjects.funnel_id = {{ this.identifier }}.funnel_id
                and touched_subjects.subject_id = {{ this.identifier }}.subject_id
        )
        {%- endif %}
    {%- endif -%}
{%- endmacro %}
