{#- SHA-256 of a text, as 64 hexadecimal digits; null of null. -#}
{% macro hash_text(text) -%}
    {{ return(adapter.dispatch('hash_text')(text)) }}
{%- endmacro %}

{% macro default__hash_text(text) -%}
    sha256({{ text }})
{%- endmacro %}

{% macro spark__hash_text(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}
