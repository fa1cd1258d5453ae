{#- Whether the build holds what an earlier night worked out, so that only what follows from touched
    subjects has to be worked out anew. Not by `ref`: `int_finished_subjects` is the last that a
    night builds of its subjects, and the first that the next one asks. -#}
{% macro has_kept_subjects() -%}
    {{ return(execute and finished_subjects() is not none) }}
{%- endmacro %}
