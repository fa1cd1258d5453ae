{#- The path of an address, `/` where it has none; null of what is no address. -#}
{% macro url_path(url) -%}
    case
        when {{ url }} like '%://%'
            then '/' || regexp_extract({{ url_without_query(url) }}, '://[^/]*/(.*)$', 1)
    end
{%- endmacro %}
