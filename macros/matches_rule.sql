{#- Whether a text meets a rule's match_type (equals, prefix or regex) and match_value.
    A regular expression may match anywhere in the text. -#}
{% macro matches_rule(text, match_type, match_value) -%}
    case {{ match_type }}
        when 'equals' then {{ text }} = {{ match_value }}
        when 'prefix' then left({{ text }}, length({{ match_value }})) = {{ match_value }}
        when 'regex' then {{ matches_regex(text, match_value) }}
    end
{%- endmacro %}
