{#- A length of time in whole microseconds, rounded up to one of those that waits are counted by: with
    `wait_binary_digits` binary digits beyond the leading one, as an HDR histogram has them. Exact, as
    scaling by a power of two loses nothing, up to 2^53 microseconds, 285 years. -#}
{% macro rounded_wait(microseconds) -%}
    {%- set digits = var('wait_binary_digits') -%}
    {%- if digits is not integer or digits < 1 -%}
        {{ exceptions.raise_compiler_error(
            "rounded_wait: expected the variable wait_binary_digits as a whole number from 1, found "
            ~ digits
        ) }}
    {%- endif -%}
    {%- set unit -%}
        pow(2e0, greatest(floor(log2(greatest({{ microseconds }}, 1))) - {{ digits }}, 0))
    {%- endset -%}
    cast(ceil({{ microseconds }} / {{ unit }}) * {{ unit }} as bigint)
{%- endmacro %}
