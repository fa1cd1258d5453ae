{#- The same for an address that was delivered as a hash: of its SHA-256 it is that of the address. -#}
{% macro hash_hashed_email(email_hash) -%}
    {{ keyed_hash('lower(' ~ clean_text(email_hash) ~ ')') }}
{%- endmacro %}
