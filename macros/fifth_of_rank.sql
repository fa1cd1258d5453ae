{#- The fifth, from 1 to 5, that a rank lies in among so many rows. With `rank() over (order by …)`,
    which gives equal values the same rank, equal values get the same fifth: the lowest of those that
    they spread over, so that above 1 a fifth says that so many fifths of the rows are below. -#}
{% macro fifth_of_rank(rank, rows) -%}
    1
    {%- for fifth in range(1, 5) %}
    + case when ({{ rank }} - 1) * 5 >= {{ rows }} * {{ fifth }} then 1 else 0 end
    {%- endfor %}
{%- endmacro %}
