{#- A subject that is touched is finished again when all of its tables are, and not before: a night
    that dies in between leaves it to the next one, also where its input is then as it was. -#}
{{ config(post_hook='{{ leave_unfinished(this) }}') }}

with

inputs as (
    select
        subject_key,
        funnel_id,
        subject_id,
        input_hash,
    from {{ ref('int_subject_inputs') }}
),

finished_subjects as (
    {%- if has_kept_subjects() %}
        select
            subject_key,
            funnel_id,
            subject_id,
            input_hash,
        from {{ finished_subjects() }}
    {%- else %}
        select * from inputs
        where false
    {%- endif %}
)

select
    coalesce(inputs.subject_key, finished_subjects.subject_key) as subject_key,
    coalesce(inputs.funnel_id, finished_subjects.funnel_id) as funnel_id,
    coalesce(inputs.subject_id, finished_subjects.subject_id) as subject_id,
from inputs
full join finished_subjects
    on inputs.subject_key = finished_subjects.subject_key
where
    inputs.input_hash is null
    or finished_subjects.input_hash is null
    or inputs.input_hash != finished_subjects.input_hash
