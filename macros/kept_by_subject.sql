{#- The configuration of a model whose table is kept from night to night: rows of touched subjects
    are taken out and those of this night put in, in one transaction. Its own SQL gives the rows of
    touched subjects alone, as all that it reads does, unless it reads by `of_touched_subjects`. -#}
{% macro kept_by_subject() -%}
    {{ return({
        'materialized': 'incremental',
        'incremental_strategy': 'append',
        'on_schema_change': 'fail',
        'pre_hook': '{{ without_touched_subjects() }}',
    }) }}
{%- endmacro %}
