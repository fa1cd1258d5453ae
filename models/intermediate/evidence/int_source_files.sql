with

source_files as (
    select source_file from {{ ref('stg_events') }}
    union
    select source_file from {{ ref('stg_orders') }}
    union
    select source_file from {{ ref('stg_records') }}
    union
    select source_file from {{ ref('stg_record_versions') }}
    union
    select source_file from {{ ref('stg_stage_changes') }}
)

select
    source_file,
    row_number() over (order by source_file) as file_number,
from source_files
