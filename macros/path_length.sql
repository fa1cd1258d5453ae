{#- The stratum of a path of so many things, by the fewest that it holds: 0, 1, 2 (to 3), 4 (to 7)
    and 8 (or more). -#}
{% macro path_length(things) -%}
    case
        when {{ things }} < 2 then {{ things }}
        when {{ things }} < 4 then 2
        when {{ things }} < 8 then 4
        else 8
    end
{%- endmacro %}
