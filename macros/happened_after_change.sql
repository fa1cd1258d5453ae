{#- Whether a time without an offset can lie after the change of the clocks near its day. -#}
{% macro happened_after_change(text, offsets) -%}
    (
        {{ seconds_later(naive_timestamp(text), '-' ~ offsets ~ '.seconds_after') }}
        >= {{ offsets }}.changes_at
    )
{%- endmacro %}
