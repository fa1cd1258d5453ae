{#- The number from 0 on that is as far out in the normal distribution as t is in Student's with
    that many degrees of freedom, as double; null for null. G. W. Hill, Algorithm 395: Student's
    t-Distribution, Communications of the ACM 13 (1970). With 8 degrees of freedom or more the
    probability that `normal_two_sided_p` makes of it is off by less than 0.01% of itself. `t` and
    `degrees` are columns: they are repeated. -#}
{% macro student_as_normal(t, degrees) -%}
    {%- set a = '(' ~ degrees ~ ' - 0.5e0)' -%}
    {%- set b = '(48e0 * ' ~ a ~ ' * ' ~ a ~ ')' -%}
    {%- set y = '(' ~ a ~ ' * ln(1e0 + ' ~ t ~ ' * ' ~ t ~ ' / ' ~ degrees ~ '))' -%}
    (
        (
            (
                (((-0.4e0 * {{ y }} - 3.3e0) * {{ y }} - 24e0) * {{ y }} - 85.5e0)
                / (0.8e0 * {{ y }} * {{ y }} + 100e0 + {{ b }}) + {{ y }} + 3e0
            ) / {{ b }} + 1e0
        ) * sqrt({{ y }})
    )
{%- endmacro %}
