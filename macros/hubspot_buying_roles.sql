{#- HubSpot's words for who has a say in a purchase, in ours; a contact may have several, with
    semicolons between them. Words that stand for no such role stay as they are. -#}
{% macro hubspot_buying_roles(roles) -%}
    replace(replace(replace(replace(replace(
        lower({{ roles }}), 'decision_maker', 'decider'
    ), 'budget_holder', 'purchaser'
    ), 'executive_sponsor', 'approver'
    ), 'end_user', 'user'
    ), 'influencer', 'technical_selector'
    )
{%- endmacro %}
