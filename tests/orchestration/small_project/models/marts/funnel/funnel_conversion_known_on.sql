select
    known_on,
    funnel_id,
    journeys,
from {{ source('known_on', 'funnel_conversion') }}
