{#- Whether a share or quantile stands on enough rows to be reported: the denominator is at least
    FUNNEL_MIN_REPORTABLE. A denominator that is null is not enough. Unit tests that expect an
    answer set the variable in their `overrides`: a company may have another minimum. -#}
{% macro is_reportable(denominator) -%}
    {%- set minimum = env_var('FUNNEL_MIN_REPORTABLE', '30') -%}
    {%- if minimum | int < 1 -%}
        {{ exceptions.raise_compiler_error(
            "is_reportable: expected FUNNEL_MIN_REPORTABLE as a whole number from 1, found "
            ~ minimum
        ) }}
    {%- endif -%}
    coalesce({{ denominator }} >= {{ minimum | int }}, false)
{%- endmacro %}
