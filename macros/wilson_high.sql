{#- Upper end of the 95% Wilson interval of successes / trials. -#}
{% macro wilson_high(successes, trials) -%}
    {{ wilson_bound(successes, trials, 'high') }}
{%- endmacro %}
