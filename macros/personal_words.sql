{#- A regular expression that is met by names with a word that is used of what tells who a person
    is. Of names that nobody has looked at it is better to lose one too many. -#}
{% macro personal_words() -%}
    {%- set words = [
        'e?mail', 'e_mail', 'phone', 'mobile', 'fax', 'first_?name', 'last_?name', 'middle_?name',
        'full_?name', 'sur_?name', 'maiden', 'nick_?name', 'user_?name', 'salutation', 'birth',
        'gender', 'ssn', 'social_security', 'passport', 'personal', 'street', 'address',
        'postal', 'zip', 'latitude', 'longitude', 'photo', 'linked_?in', 'twitter', 'facebook',
        'skype', 'whats_?app', 'we_?chat', 'assistant', 'signature',
    ] -%}
    {{ return('(?i)^name$|' ~ words | join('|')) }}
{%- endmacro %}
