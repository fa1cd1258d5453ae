with

evidence as (
    select
        evidence_type,
        evidence_name,
        evidence,
        visitor_id,
        session_id,
        user_id,
        person_id,
        account_id,
        record_id,
        pipeline,
        properties,
        content_number,
        file_number,
        source_row,
        source_sequence,
        is_creation,
        may_repeat_creation,
        occurred_at,
    from {{ ref('int_evidence') }}
),

evidence_names as (
    select
        evidence_type,
        evidence_name,
    from {{ ref('int_evidence_names') }}
),

stage_rules as (
    select
        rule_number,
        funnel_id,
        stage_id,
        stage_position,
        stage_kind,
        subject_type,
        pipeline,
        hold_constant,
        rule_type,
        match_type,
        match_value,
        property_name,
        property_value,
        occurrence,
        is_occurrence_open,
        is_occurrence_of_name,
        valid_from,
        valid_to,
    from {{ ref('int_stage_rules') }}
),

-- Of the ways into the first stage, records know those by their own type alone.
first_stages as (
    select distinct
        funnel_id,
        stage_id,
        stage_position,
        stage_kind,
        subject_type,
        pipeline,
        rule_type,
    from stage_rules
    where
        stage_position = 1
        and rule_type in ('lead_status', 'opportunity_stage')
),

-- Rules are held against the few distinct names first, and against the many rows by equality.
rules_by_name as (
    select
        evidence_names.evidence_name,
        stage_rules.*,
        count(*) over by_name > 1 as may_meet_several,
    from stage_rules
    inner join evidence_names
        on
            stage_rules.rule_type = evidence_names.evidence_type
            and {{ matches_rule(
                'evidence_names.evidence_name', 'stage_rules.match_type', 'stage_rules.match_value'
            ) }}
    window by_name as (
        partition by
            stage_rules.funnel_id,
            evidence_names.evidence_type,
            evidence_names.evidence_name
    )
),

matched_evidence as (
    select
        rules_by_name.rule_number,
        rules_by_name.funnel_id,
        {{ subject_id('rules_by_name.subject_type') }} as subject_id,
        rules_by_name.stage_id,
        rules_by_name.stage_position,
        rules_by_name.stage_kind,
        rules_by_name.occurrence,
        rules_by_name.is_occurrence_open,
        rules_by_name.is_occurrence_of_name,
        rules_by_name.may_meet_several,
        evidence.evidence_name,
        evidence.evidence,
        evidence.record_id,
        evidence.session_id,
        case
            when rules_by_name.hold_constant is not null
                then {{ json_text_at('evidence.properties', 'rules_by_name.hold_constant') }}
        end as held_value,
        evidence.file_number,
        evidence.source_row,
        evidence.source_sequence,
        evidence.content_number,
        evidence.occurred_at as entered_at,
    from evidence
    inner join rules_by_name
        on
            evidence.evidence_type = rules_by_name.rule_type
            and evidence.evidence_name = rules_by_name.evidence_name
    where
        -- A pipeline chooses among records; events and orders know none.
        (
            rules_by_name.pipeline is null
            or evidence.record_id is null
            or rules_by_name.pipeline = evidence.pipeline
        )
        and (not evidence.may_repeat_creation or rules_by_name.stage_position is distinct from 1)
        and (
            rules_by_name.property_name is null
            or case
                when rules_by_name.property_value is null
                    then
                        {{ json_text_at('evidence.properties', 'rules_by_name.property_name') }}
                        is not null
                else
                    {{ json_text_at('evidence.properties', 'rules_by_name.property_name') }}
                    = rules_by_name.property_value
            end
        )
        and (
            rules_by_name.valid_from is null
            or evidence.occurred_at is null
            or {{ reporting_date('evidence.occurred_at') }} >= rules_by_name.valid_from
        )
        and (
            rules_by_name.valid_to is null
            or evidence.occurred_at is null
            or {{ reporting_date('evidence.occurred_at') }} <= rules_by_name.valid_to
        )
),

occurrences_of_match as (
    select
        *,
        row_number() over (
            partition by rule_number, subject_id
            order by entered_at nulls last, file_number, source_row, source_sequence
        ) as occurrence_number,
    from matched_evidence
    where occurrence is not null and not is_occurrence_of_name
),

-- All that bears the name of a rule, whatever its property and its day.
numbered_names as (
    select
        rules_by_name.rule_number,
        evidence.file_number,
        evidence.source_row,
        evidence.source_sequence,
        evidence.occurred_at,
        row_number() over (
            partition by
                rules_by_name.rule_number,
                {{ subject_id('rules_by_name.subject_type') }}
            order by
                evidence.occurred_at nulls last,
                evidence.file_number,
                evidence.source_row,
                evidence.source_sequence
        ) as occurrence_number,
    from evidence
    inner join rules_by_name
        on
            evidence.evidence_type = rules_by_name.rule_type
            and evidence.evidence_name = rules_by_name.evidence_name
    where
        rules_by_name.is_occurrence_of_name
        and (
            rules_by_name.pipeline is null
            or evidence.record_id is null
            or rules_by_name.pipeline = evidence.pipeline
        )
        and (not evidence.may_repeat_creation or rules_by_name.stage_position is distinct from 1)
),

occurrences_of_name as (
    select
        matched_evidence.*,
        numbered_names.occurrence_number,
    from matched_evidence
    inner join numbered_names
        on
            matched_evidence.rule_number = numbered_names.rule_number
            and matched_evidence.file_number = numbered_names.file_number
            and matched_evidence.source_row = numbered_names.source_row
            and matched_evidence.source_sequence = numbered_names.source_sequence
            -- A row may show several stages, one after another delivery of its file.
            and matched_evidence.entered_at is not distinct from numbered_names.occurred_at
    where matched_evidence.is_occurrence_of_name
),

numbered_occurrences as (
    select * from occurrences_of_match
    union all
    select * from occurrences_of_name
),

met_rules as (
    select
        funnel_id,
        subject_id,
        stage_id,
        stage_position,
        stage_kind,
        evidence_name,
        evidence,
        record_id,
        session_id,
        held_value,
        file_number,
        source_row,
        source_sequence,
        content_number,
        may_meet_several,
        entered_at,
    from matched_evidence
    where occurrence is null

    union all

    select
        funnel_id,
        subject_id,
        stage_id,
        stage_position,
        stage_kind,
        evidence_name,
        evidence,
        record_id,
        session_id,
        held_value,
        file_number,
        source_row,
        source_sequence,
        content_number,
        may_meet_several,
        entered_at,
    from numbered_occurrences
    where
        occurrence_number = occurrence
        or (is_occurrence_open and occurrence_number > occurrence)

    union all

    select
        first_stages.funnel_id,
        {{ subject_id('first_stages.subject_type') }} as subject_id,
        first_stages.stage_id,
        first_stages.stage_position,
        first_stages.stage_kind,
        evidence.evidence_name,
        evidence.evidence,
        evidence.record_id,
        evidence.session_id,
        cast(null as varchar) as held_value,
        evidence.file_number,
        evidence.source_row,
        evidence.source_sequence,
        evidence.content_number,
        false as may_meet_several,
        evidence.occurred_at as entered_at,
    from evidence
    inner join first_stages
        on
            evidence.evidence_type = first_stages.rule_type
            and (first_stages.pipeline is null or evidence.pipeline = first_stages.pipeline)
    where evidence.is_creation
),

-- Alternative rules of a stage may both be met by one event, which still is one entry.
stage_entries as (
    select * from met_rules
    where not may_meet_several

    union all

    select distinct * from met_rules
    where may_meet_several
)

select
    {{ subject_key('stage_entries.funnel_id', 'stage_entries.subject_id') }} as subject_key,
    stage_entries.funnel_id,
    stage_entries.subject_id,
    stage_entries.stage_id,
    stage_entries.stage_position,
    stage_entries.stage_kind,
    stage_entries.evidence_name,
    stage_entries.evidence,
    stage_entries.record_id,
    stage_entries.session_id,
    stage_entries.held_value,
    stage_entries.file_number,
    stage_entries.source_row,
    stage_entries.source_sequence,
    stage_entries.content_number,
    stage_entries.may_meet_several,
    stage_entries.entered_at,
from stage_entries
where stage_entries.subject_id is not null
