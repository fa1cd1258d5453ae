{#- The host of an address, in lower case, without `www.`, port and who signs in there; null of what
    is no address. -#}
{% macro url_host(url) -%}
    nullif(
        regexp_extract(
            lower({{ url }}), '^[a-z][a-z0-9+.-]*://([^/?#]*@)?(www[.])?([^/:?#]+)', 3
        ),
        ''
    )
{%- endmacro %}
