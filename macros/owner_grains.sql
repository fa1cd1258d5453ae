{#- The periods by which the tables about owners count, from coarse to fine. `all` holds undated deals
    too. A week has too few outcomes of one seller to say anything. -#}
{% macro owner_grains() -%}
    {{ return(['all', 'year', 'quarter', 'month']) }}
{%- endmacro %}
