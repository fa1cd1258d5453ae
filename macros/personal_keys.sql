{#- Names of columns that tell who a person is. Where they are not declared, and so not hashed, they
    do not pass staging. -#}
{% macro personal_keys() -%}
    {{ return([
        'email', 'email_address', 'contact_email', 'phone', 'phone_number', 'first_name',
        'last_name', 'full_name',
    ]) }}
{%- endmacro %}
