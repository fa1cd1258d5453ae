{#- A number as text for a person, to a tenth, with its sign. -#}
{% macro signed_size(number) -%}
    {{ in_points('(' ~ number ~ ') / 100') }}
{%- endmacro %}
