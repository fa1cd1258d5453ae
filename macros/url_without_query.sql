{#- An address without what follows `?` or `#`: there stands what people typed, at times who they
    are. -#}
{% macro url_without_query(url) -%}
    split_part(split_part({{ url }}, '?', 1), '#', 1)
{%- endmacro %}
