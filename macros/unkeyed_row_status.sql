{#- What becomes of the rows of a table without a key: a select of all columns of `relation`, with
    `row_status` as in `keyed_row_status`. A row that says what another says is a copy of it; the
    one delivered first stays.

    `relation` has `content_hash`, `is_current`, `delivered_at`, `source_file`, `source_row` and the
    columns of `quarantine_columns`. -#}
{% macro unkeyed_row_status(relation) -%}
    select
        *,
        case
            when not is_current then 'superseded'
            when quarantine_reason is not null then 'quarantined'
            when row_number() over (
                partition by is_current and quarantine_reason is null, content_hash
                order by delivered_at, source_file, source_row
            ) > 1 then 'repeated'
            else 'kept'
        end as row_status,
    from {{ relation }}
{%- endmacro %}
