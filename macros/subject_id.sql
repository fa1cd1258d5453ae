{#- Who a row of `int_evidence` is about, for a funnel of the given subject type; null where the
    row knows no such subject. Both arguments are columns. -#}
{% macro subject_id(subject_type, evidence='evidence') -%}
    case {{ subject_type }}
        when 'visitor' then {{ evidence }}.visitor_id
        when 'session' then {{ evidence }}.session_id
        when 'user' then {{ evidence }}.user_id
        when 'person' then {{ evidence }}.person_id
        when 'account' then {{ evidence }}.account_id
        when 'lead'
            then case {{ evidence }}.evidence_type when 'lead_status' then {{ evidence }}.record_id end
        when 'opportunity'
            then case
                {{ evidence }}.evidence_type when 'opportunity_stage' then {{ evidence }}.record_id
            end
    end
{%- endmacro %}
