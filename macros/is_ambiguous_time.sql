{#- Whether a delivered text names a time that the source's clocks showed twice, as they were set
    back. Never null. -#}
{% macro is_ambiguous_time(text, offsets) -%}
    coalesce(
        {{ offsets }}.changes_at is not null
        and {{ happened_before_change(text, offsets) }}
        and {{ happened_after_change(text, offsets) }},
        false
    )
{%- endmacro %}
