{#- A fact of the campaign: as GA4 collected it, else as a parameter of the event; of an ad that is
    tagged by Google's click alone, what such a click is, where that is given. -#}
{% macro ga4_campaign(collected, param, of_click=none) -%}
    coalesce(
        {{ json_text('collected_traffic_source', collected) }},
        {{ json_text('params', param) }}
        {%- if of_click %},
            case
                when {{ json_text('collected_traffic_source', 'gclid') }} is not null
                    then '{{ of_click }}'
            end
        {%- endif %}
    )
{%- endmacro %}
