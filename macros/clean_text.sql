{#- A delivered text without the blanks around it; null where nothing is left. Hardly any text has
    such blanks, and to look for them costs a tenth of trimming all: what is empty or begins with a
    blank sorts before '!'. -#}
{% macro clean_text(text) -%}
    case
        when {{ text }} < '!' or {{ text }} like '% ' then nullif(trim({{ text }}), '')
        else {{ text }}
    end
{%- endmacro %}
