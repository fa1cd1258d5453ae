{#- The quantile at a share of the numbers that `sorted_numbers` put into a list, as double: linear
    between the two numbers around it, as percentile_cont has it. Null for a list without any. -#}
{% macro quantile_of_sorted(list, share) -%}
    {%- set place = place_of_quantile(list_length(list), share) -%}
    {%- set below -%} cast(floor({{ place }}) as bigint) {%- endset -%}
    {%- set above -%} cast(ceil({{ place }}) as bigint) {%- endset -%}
    case
        when {{ list_length(list) }} > 0 then
            cast({{ list_item(list, below) }} as double)
            + ({{ place }} - floor({{ place }})) * (
                cast({{ list_item(list, above) }} as double)
                - cast({{ list_item(list, below) }} as double)
            )
    end
{%- endmacro %}
