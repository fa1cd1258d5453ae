{#- A p-value as often as it counts by Benjamini and Hochberg, over all rows of the family that have
    one: of m p-values the k-th smallest counts m / k times. As double; null for null. A step of its
    own before `q_value`. `family` are columns; without them it is the whole table. -#}
{% macro counted_p_value(p_value, family=none) -%}
    {%- set partition = 'partition by ' ~ family if family else '' -%}
    case
        when {{ p_value }} is not null
            then
                {{ p_value }} * count({{ p_value }}) over ({{ partition }})
                / count({{ p_value }}) over ({{ partition }} order by {{ p_value }} nulls last)
    end
{%- endmacro %}
