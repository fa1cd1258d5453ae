{#- Lower end of the 95% Wilson interval of successes / trials. -#}
{% macro wilson_low(successes, trials) -%}
    {{ wilson_bound(successes, trials, 'low') }}
{%- endmacro %}
