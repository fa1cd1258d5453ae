{#- How far from 0 the middle 95% of Student's distribution with that many degrees of freedom reach,
    as double; null for null. By the expansion of R. A. Fisher and E. A. Cornish (1960); with 8
    degrees of freedom or more it is off by less than 0.001. -#}
{% macro student_bound(degrees) -%}
    {%- set z = 1.959963984540054 -%}
    (
        {{ z }}e0
        + {{ (z ** 3 + z) / 4 }}e0 / ({{ degrees }})
        + {{ (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 }}e0 / power({{ degrees }}, 2)
        + {{ (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 }}e0 / power({{ degrees }}, 3)
    )
{%- endmacro %}
