with

source_files as (
    select source_file from {{ ref('stg_generic__events') }}
    union
    select source_file from {{ ref('stg_generic__orders') }}
    union
    select source_file from {{ ref('stg_generic__records') }}
    union
    select source_file from {{ ref('stg_generic__record_versions') }}
    union
    select source_file from {{ ref('stg_generic__stage_changes') }}
)

select
    source_file,
    row_number() over (order by source_file) as file_number,
from source_files
