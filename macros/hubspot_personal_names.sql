{#- A regular expression that the names of properties meet which may tell who a person is: HubSpot's
    own, and what a company is likely to call its own ones, and free text. Rather too many than too
    few. -#}
{% macro hubspot_personal_names() -%}
    {{ return(
        'mail|phone|mobile|fax|first_?name|last_?name|full_?name|surname|maiden|salutation'
        ~ '|address|street|zip|post_?code|postal|birth|gender|marital|passport|iban|tax_?id'
        ~ '|twitter|facebook|linkedin|skype|whatsapp|contact_?name|contact_?person|(^|_)ip(_|$)'
        ~ '|description|message|comment|(^|_)notes?(_|$)'
    ) }}
{%- endmacro %}
