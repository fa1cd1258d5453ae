{#- Groups in which a count, added up over the values of a segment that adds up, is not that of the
    row all/all of the same group. `group_by` tells the rows of one segment value apart. -#}
{% test adds_up_over_segments(model, columns, group_by) %}
{%- for names in [columns, group_by] if names is string or not names -%}
    {{ exceptions.raise_compiler_error(
        "adds_up_over_segments of " ~ model ~ ": expected lists of columns, found " ~ names
    ) }}
{%- endfor %}

with

all_segments as (
    select
        {{ group_by | join(',\n        ') }},
        {{ columns | join(',\n        ') }},
    from {{ model }}
    where segment_name = 'all'
),

segments as (
    select
        {{ group_by | join(',\n        ') }},
        segment_name,
        {%- for column in columns %}
        sum({{ column }}) as {{ column }},
        {%- endfor %}
    from {{ model }}
    where segment_name != 'all' and segment_adds_up
    group by {{ group_by | join(', ') }}, segment_name
)

select
    {%- for column in group_by %}
    segments.{{ column }},
    {%- endfor %}
    segments.segment_name,
    {%- for column in columns %}
    segments.{{ column }} as found_{{ column }},
    all_segments.{{ column }} as expected_{{ column }},
    {%- endfor %}
from segments
left join all_segments
    on
        {%- for column in group_by %}
        {{ 'and ' if not loop.first }}segments.{{ column }}
        is not distinct from all_segments.{{ column }}
        {%- endfor %}
where
    {%- for column in columns %}
    {{ 'or ' if not loop.first }}segments.{{ column }} is distinct from all_segments.{{ column }}
    {%- endfor %}

{% endtest %}
