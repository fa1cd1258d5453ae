{#- Three letters for money, authority and need, each `present`, `absent` or `unknown`: a capital
    where it is present, a small one where it is absent, `?` where nobody knows. -#}
{% macro qualification_class(money, authority, need) -%}
    concat(
        case {{ money }} when 'present' then 'M' when 'absent' then 'm' else '?' end,
        case {{ authority }} when 'present' then 'A' when 'absent' then 'a' else '?' end,
        case {{ need }} when 'present' then 'N' when 'absent' then 'n' else '?' end
    )
{%- endmacro %}
