{#- What an order of a customer is expected to be worth by the gamma-gamma model, as double: between
    what those after the first were worth on average and the average of all customers, the nearer to
    the former the more there were (Fader and Hardie 2013, equation 5). Null without parameters. -#}
{% macro expected_order_amount(histories, models) -%}
    {{ models }}.p * ({{ models }}.v + cast(coalesce({{ histories }}.repeat_revenue, 0) as double))
    / ({{ models }}.p * {{ histories }}.priced_repeat_days + {{ models }}.q - 1)
{%- endmacro %}
