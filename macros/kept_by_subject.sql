{#- The configuration of a model whose table is kept from night to night by subject: rows of touched
    subjects are taken out and those of this night put in. Its own SQL gives the rows of touched
    subjects alone, as all that it reads does, unless it reads by `of_touched_subjects`. -#}
{% macro kept_by_subject() -%}
    {{ return(kept_table(pre_hook='{{ without_touched_subjects() }}')) }}
{%- endmacro %}
