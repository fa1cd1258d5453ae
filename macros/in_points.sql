{#- A difference of shares as text for a person, in percentage points to a tenth, with its sign:
    0.0123 is +1.2. What rounds to nothing is 0.0. -#}
{% macro in_points(difference) -%}
    (
        case when cast(100 * ({{ difference }}) as decimal(12, 1)) > 0 then '+' else '' end
        || cast(cast(100 * ({{ difference }}) as decimal(12, 1)) as {{ dbt.type_string() }})
    )
{%- endmacro %}
