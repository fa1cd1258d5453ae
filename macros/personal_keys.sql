{#- Undeclared columns that name a person by their name, and so do not pass staging. -#}
{% macro personal_keys() -%}
    {{ return(['email', 'email_address', 'contact_email', 'phone', 'phone_number', 'first_name', 'last_name', 'full_name']) }}
{%- endmacro %}
