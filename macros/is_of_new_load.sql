{#- Whether a row is of a file that the table that is being built does not hold yet. `load_id` is the
    column that tells the version of its file. -#}
{% macro is_of_new_load(load_id) -%}
    {%- if is_incremental() -%}
        {{ load_id }} not in (select held.load_id from {{ this }} as held)
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
