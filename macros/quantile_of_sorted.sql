{#- The quantile at a share of the numbers that `sorted_numbers` put into a list, as double: linear
    between the two numbers around it, as percentile_cont has it. Null for a list without any. -#}
{% macro quantile_of_sorted(list, share) -%}
    {%- if share is not number or share < 0 or share > 1 -%}
        {{ exceptions.raise_compiler_error(
            "quantile_of_sorted: expected a share between 0 and 1, found " ~ share
        ) }}
    {%- endif -%}
    {%- set place -%} (cast({{ share }} as double) * ({{ list_length(list) }} - 1)) {%- endset -%}
    {%- set below -%} cast(floor({{ place }}) as bigint) + 1 {%- endset -%}
    {%- set above -%} cast(ceil({{ place }}) as bigint) + 1 {%- endset -%}
    case
        when {{ list_length(list) }} > 0 then
            cast({{ list_item(list, below) }} as double)
            + ({{ place }} - floor({{ place }})) * (
                cast({{ list_item(list, above) }} as double)
                - cast({{ list_item(list, below) }} as double)
            )
    end
{%- endmacro %}
