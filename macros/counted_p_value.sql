{#- A p-value as often as it counts by Benjamini and Hochberg, over all rows that have one: of m
    p-values the k-th smallest counts m / k times. As double; null for null. A step of its own
    before `q_value`. -#}
{% macro counted_p_value(p_value) -%}
    case
        when {{ p_value }} is not null
            then
                {{ p_value }} * count({{ p_value }}) over ()
                / count({{ p_value }}) over (order by {{ p_value }} nulls last)
    end
{%- endmacro %}
