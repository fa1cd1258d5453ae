{#- Whether a time without an offset can lie before the change of the clocks near its day; always
    where there is none. -#}
{% macro happened_before_change(text, offsets) -%}
    (
        {{ offsets }}.changes_at is null
        or {{ seconds_later(naive_timestamp(text), '-' ~ offsets ~ '.seconds_before') }}
        < {{ offsets }}.changes_at
    )
{%- endmacro %}
