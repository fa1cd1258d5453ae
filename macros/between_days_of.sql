{#- A day that somebody typed in as the day of a change, no earlier than `earliest` and no later than
    `latest`, where these are known: nothing closes before it is there, nor is known before it is
    said. Texts that begin with a date, as year, month and day. -#}
{% macro between_days_of(day, earliest, latest) -%}
    case
        when substr({{ day }}, 1, 10) <= substr({{ earliest }}, 1, 10) then {{ earliest }}
        when substr({{ day }}, 1, 10) > substr({{ latest }}, 1, 10) then {{ latest }}
        else {{ day }}
    end
{%- endmacro %}
