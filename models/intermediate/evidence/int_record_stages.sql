{{ config(materialized='view') }}

select
    record_id,
    record_type,
    pipeline,
    account_id,
    email_hash,
    stage,
    evidence,
    source_file,
    source_row,
    source_sequence,
    is_creation,
    may_repeat_creation,
    entered_at,
from {{ ref('int_record_histories') }}
where not is_deleted
