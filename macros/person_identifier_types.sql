{#- The identifiers by which the person behind a subject is known, that of the lowest preference first: a
    visitor goes by its device, and by its user where no device is known. -#}
{% macro person_identifier_types() -%}
    select
        'visitor' as subject_type,
        'anonymous_id' as identifier_type,
        1 as preference
    union all
    select
        'visitor' as subject_type,
        'user_id' as identifier_type,
        2 as preference
    union all
    select
        'user' as subject_type,
        'user_id' as identifier_type,
        1 as preference
    union all
    select
        'lead' as subject_type,
        'record_id' as identifier_type,
        1 as preference
    union all
    select
        'opportunity' as subject_type,
        'record_id' as identifier_type,
        1 as preference
{%- endmacro %}
