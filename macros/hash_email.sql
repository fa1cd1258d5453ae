{#- What stands for an e-mail address from staging on: the hash of it in lower case and without
    blanks around it, so that the spellings of two systems meet. -#}
{% macro hash_email(email) -%}
    {{ hash_text('lower(' ~ clean_text(email) ~ ')') }}
{%- endmacro %}
