{#- One number for the hashes of a group of rows (`narrow_hash`), whatever their order. Not their
    exclusive or, in which two rows alike would be as none. -#}
{% macro summed_hashes(hash) -%}
    {{ return(adapter.dispatch('summed_hashes')(hash)) }}
{%- endmacro %}

{% macro default__summed_hashes(hash) -%}
    sum({{ hash }})
{%- endmacro %}

{% macro spark__summed_hashes(hash) -%}
    sum(cast({{ hash }} as decimal(20, 0)))
{%- endmacro %}
