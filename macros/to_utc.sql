{#- The UTC instant of a delivered text. An offset in it is honoured. Without one it is a time of
    the source's clocks, and `offsets` what `join_utc_offsets` has joined for it: of a time that
    the clocks showed twice the first is taken, and one that they never showed gives null. -#}
{% macro to_utc(text, offsets) -%}
    case
        when {{ names_utc_offset(text) }} then {{ offset_timestamp(text) }}
        when {{ offsets }}.timezone is null then {{ naive_timestamp(text) }}
        when {{ happened_before_change(text, offsets) }}
            then {{ seconds_later(naive_timestamp(text), '-' ~ offsets ~ '.seconds_before') }}
        when {{ happened_after_change(text, offsets) }}
            then {{ seconds_later(naive_timestamp(text), '-' ~ offsets ~ '.seconds_after') }}
    end
{%- endmacro %}
