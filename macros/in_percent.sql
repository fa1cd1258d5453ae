{#- A share as text for a person, in percent to a tenth: 0.1234 is 12.3%. -#}
{% macro in_percent(share) -%}
    (cast(cast(100 * ({{ share }}) as decimal(12, 1)) as {{ dbt.type_string() }}) || '%')
{%- endmacro %}
