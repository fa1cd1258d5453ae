{#- What stands before the @ of an e-mail address, in lower case and without a tag such as that of
    `info+news@…`. -#}
{% macro email_local_part(email) -%}
    nullif(split_part(split_part(lower({{ clean_text(email) }}), '@', 1), '+', 1), '')
{%- endmacro %}
