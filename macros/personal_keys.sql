{#- Names of columns and properties that tell who a person is or where, in the spellings that are
    common. Where they are not declared, and so not hashed, they do not pass staging. -#}
{% macro personal_keys() -%}
    {%- set names = [
        'email', 'email_address', 'contact_email', 'email_hash', 'hashed_email', 'email_sha256',
        'email_md5', 'phone', 'phone_number', 'first_name',
        'last_name', 'full_name', 'user_name', 'date_of_birth', 'birthday', 'traits',
        'ip', 'ip_address', 'user_ip', 'user_ipaddress', 'user_agent', 'useragent',
        'user_fingerprint', 'geo_latitude', 'geo_longitude',
    ] -%}
    {%- set keys = [] -%}
    {%- for name in names -%}
        {%- set words = name.split('_') -%}
        {%- set camel = words[0] ~ (words[1:] | map('capitalize') | join('')) -%}
        {%- for key in [name, camel, name | capitalize, name | upper] if key not in keys -%}
            {%- do keys.append(key) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(keys) }}
{%- endmacro %}
