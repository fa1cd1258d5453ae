{#- Takes the rows of touched subjects out of the table that is being built. Where an earlier night
    died before it had finished any subject, all rows. -#}
{% macro without_touched_subjects() -%}
    {%- set touched_subjects = ref('int_touched_subjects') -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        {%- if has_kept_subjects() %}
        where {{ is_touched(this, touched_subjects) }}
        {%- endif %}
    {%- endif -%}
{%- endmacro %}
