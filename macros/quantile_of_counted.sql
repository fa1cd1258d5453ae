{#- Aggregate: a quantile of numbers of which each row says how often it is there, as double: linear
    between the two numbers around it, as percentile_cont has it of single ones. `count_up_to` is how
    many of the group are no greater, `count` how many there are, at least one. -#}
{% macro quantile_of_counted(number, count_up_to, count, share) -%}
    {%- if share is not number or share < 0 or share > 1 -%}
        {{ exceptions.raise_compiler_error(
            "quantile_of_counted: expected a share between 0 and 1, found " ~ share
        ) }}
    {%- endif -%}
    {%- set place -%} (cast({{ share }} as double) * ({{ count }} - 1)) {%- endset -%}
    {%- set below -%}
        cast(min({{ number }}) filter (where {{ count_up_to }} > floor({{ place }})) as double)
    {%- endset -%}
    {%- set above -%}
        cast(min({{ number }}) filter (where {{ count_up_to }} > ceil({{ place }})) as double)
    {%- endset -%}
    {{ below }} + max({{ place }} - floor({{ place }})) * ({{ above }} - {{ below }})
{%- endmacro %}
