{#- What stands for an e-mail address from staging on: a keyed hash of the hash of it in lower case and
    without blanks around it, so that the spellings of two systems meet, and who has a list of
    addresses cannot tell whose it is. -#}
{% macro hash_email(email) -%}
    {{ keyed_hash(hash_text('lower(' ~ clean_text(email) ~ ')')) }}
{%- endmacro %}
