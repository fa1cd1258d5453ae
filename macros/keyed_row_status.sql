{#- What becomes of the rows of a table whose rows are versions of what a key names: a select of
    all columns of `relation`, with `row_status` and what it is worked out from.

    - `superseded`: the row's load does not count any more.
    - `quarantined`: the row is refused; or rows that count have its key and `updated_at` and other
      content. Nothing tells which of them is right, so none stays, and the version before stands.
    - `kept`: the version with the latest `updated_at`; where none has one, the one delivered last.
      Of copies the one delivered first, so that the version is known from its first delivery on.
    - `repeated`: an older version or a copy.

    `relation` has `source`, `key`, `updated_at`, `content_hash`, `is_current`,
    `last_delivered_at`, `delivered_at`, `source_file`, `source_row` and the columns of
    `quarantine_columns`. -#}
{% macro keyed_row_status(relation, key) -%}
    with

    compared as (
        select
            *,
            is_current and quarantine_reason is null as is_candidate,
            is_current
            and quarantine_reason is null
            and updated_at is not null
            and min(content_hash) over same_version
            != max(content_hash) over same_version as is_contradicted,
            row_number() over (
                partition by
                    is_current and quarantine_reason is null,
                    source,
                    {{ key }},
                    updated_at,
                    content_hash
                order by delivered_at, source_file, source_row
            ) as copy_number,
        from {{ relation }}
        window same_version as (
            partition by
                is_current and quarantine_reason is null,
                source,
                {{ key }},
                updated_at
        )
    ),

    ranked as (
        select
            *,
            row_number() over (
                partition by is_candidate and not is_contradicted, source, {{ key }}
                order by
                    updated_at desc nulls last,
                    case when updated_at is null then last_delivered_at end desc nulls last,
                    case when updated_at is null then source_file end desc nulls last,
                    case when updated_at is null then source_row end desc nulls last,
                    copy_number
            ) as version_rank,
        from compared
    )

    select
        *,
        case
            when not is_current then 'superseded'
            when quarantine_reason is not null then 'quarantined'
            when is_contradicted and copy_number = 1 then 'quarantined'
            when is_contradicted or version_rank > 1 then 'repeated'
            else 'kept'
        end as row_status,
        is_candidate and is_contradicted and copy_number = 1 as is_key_conflict,
    from ranked
{%- endmacro %}
