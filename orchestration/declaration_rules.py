"""What must hold between the rows and tables of the declarations.

Each rule takes all tables, already completed with their defaults, and yields the mistakes that it
finds. What a single cell may hold is in `declaration_tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby

import duckdb

from orchestration.declaration_tables import (
    HEALTH_RULES,
    SESSION_ORIGINS,
    TIES_OF,
    Mistake,
    Row,
)

Tables = Mapping[str, Sequence[Row]]

# The stage numbers of a journey are kept in the 32 bits of an integer.
MAX_STAGES = 32

# These words stand in stage columns of the published tables for what is not a stage.
RESERVED_STAGE_IDS = ("entry", "still_there", "ended", "abandoned", "any_exit", "all")

# These words stand in the place of a band in the published tables.
RESERVED_BAND_NAMES = ("all", "(no band)", "(unknown amount)")

# The row all/all is the total of every table.
RESERVED_SEGMENT_NAMES = ("all",)

# What can happen to a subject: a visitor has no CRM record, an order names no session.
RULE_TYPES_OF = {
    "visitor": ("event", "purchase"),
    "session": ("event",),
    "user": ("event", "purchase"),
    "person": ("event", "lead_status", "opportunity_stage", "purchase"),
    "lead": ("lead_status",),
    "opportunity": ("opportunity_stage",),
    "account": ("lead_status", "opportunity_stage", "purchase"),
}


def funnels_are_consistent(tables: Tables) -> Iterator[Mistake]:
    """No funnel asks for two things that contradict each other."""
    for funnel in tables["funnels"]:
        name = funnel["funnel_id"]
        if funnel["entry_policy"] == "best" and funnel["count_by"] == "journey":
            yield Mistake(
                "funnels.csv",
                funnel.line,
                "entry_policy",
                f"first for funnel {name!r}, as its count_by is journey",
                "'best'",
                "Write first, or count_by subject: after the best entry comes no second journey.",
            )
        if funnel["order_mode"] == "furthest" and funnel["window_hours"]:
            yield Mistake(
                "funnels.csv",
                funnel.line,
                "window_hours",
                f"nothing for funnel {name!r}, as its order_mode is furthest",
                repr(funnel["window_hours"]),
                "Leave it empty, or choose order_mode ordered, strict or any.",
            )
        if funnel["hold_constant"]:
            yield from _can_hold_constant(funnel)
        if not any(stage["funnel_id"] == name for stage in tables["funnel_stages"]):
            yield Mistake(
                "funnels.csv",
                funnel.line,
                "funnel_id",
                f"at least one stage of funnel {name!r} in funnel_stages.csv",
                "none",
                "Add its stages, or remove the funnel.",
            )


def _can_hold_constant(funnel: Row) -> Iterator[Mistake]:
    name, held = funnel["funnel_id"], repr(funnel["hold_constant"])
    if funnel["order_mode"] == "furthest":
        yield Mistake(
            "funnels.csv",
            funnel.line,
            "hold_constant",
            f"nothing for funnel {name!r}, as its order_mode is furthest",
            held,
            "Leave it empty, or choose order_mode ordered, strict or any.",
        )
    elif "event" not in RULE_TYPES_OF.get(funnel["subject_type"], ("event",)):
        yield Mistake(
            "funnels.csv",
            funnel.line,
            "hold_constant",
            f"nothing for funnel {name!r}, as its subject_type is {funnel['subject_type']} and "
            "only events have properties",
            held,
            "Leave it empty, or choose a subject_type that has events.",
        )


def stages_form_ladders(tables: Tables) -> Iterator[Mistake]:
    """Open and won stages have the positions 1, 2, 3 … without gap; lost stages have none."""
    by_funnel = sorted(tables["funnel_stages"], key=lambda stage: stage["funnel_id"])
    for funnel_id, group in groupby(by_funnel, key=lambda stage: stage["funnel_id"]):
        ladder = []
        for stage in group:
            yield from _stage_is_sound(stage)
            if stage["stage_kind"] != "lost" and stage["stage_position"]:
                ladder.append(stage)
        ladder.sort(key=lambda stage: int(stage["stage_position"]))
        for expected, stage in enumerate(ladder, start=1):
            if int(stage["stage_position"]) != expected:
                yield Mistake(
                    "funnel_stages.csv",
                    stage.line,
                    "stage_position",
                    f"position {expected} as the next of funnel {funnel_id!r}",
                    stage["stage_position"],
                    "Number the open and won stages 1, 2, 3 … without a gap and each number once.",
                )
                break
        if len(ladder) > MAX_STAGES:
            yield Mistake(
                "funnel_stages.csv",
                ladder[MAX_STAGES].line,
                "stage_position",
                f"at most {MAX_STAGES} stages in funnel {funnel_id!r}",
                str(len(ladder)),
                "Merge stages, or declare two funnels.",
            )


def _stage_is_sound(stage: Row) -> Iterator[Mistake]:
    name = stage["stage_id"]
    if name.lower() in RESERVED_STAGE_IDS:
        yield Mistake(
            "funnel_stages.csv",
            stage.line,
            "stage_id",
            f"another word than {', '.join(RESERVED_STAGE_IDS)}",
            repr(name),
            "Rename the stage: this word stands for something else in the published tables.",
        )
    if stage["stage_kind"] == "lost" and stage["stage_position"]:
        yield Mistake(
            "funnel_stages.csv",
            stage.line,
            "stage_position",
            f"nothing for stage {name!r}, as it is a lost stage",
            stage["stage_position"],
            "Leave it empty: a lost stage is not part of the ladder.",
        )
    if stage["stage_kind"] != "lost" and not stage["stage_position"]:
        yield Mistake(
            "funnel_stages.csv",
            stage.line,
            "stage_position",
            f"the position of stage {name!r}, as its stage_kind is {stage['stage_kind']}",
            "nothing",
            "Number the stage, or make its stage_kind lost.",
        )


def names_are_known(tables: Tables) -> Iterator[Mistake]:
    """Every funnel and stage that is referred to is declared."""
    funnels = {funnel["funnel_id"] for funnel in tables["funnels"]}
    stages = {(stage["funnel_id"], stage["stage_id"]) for stage in tables["funnel_stages"]}
    stage_columns = {
        "funnel_stages": (),
        "stage_rules": ("stage_id",),
        "funnel_exclusions": ("after_stage_id", "before_stage_id"),
        "deal_size_bands": (),
        "loss_endings": (),
        "win_back_measures": ("stage_id",),
        "intent_rules": ("stage_id",),
        "funnel_plan_targets": (),
        "stage_targets": ("stage_id",),
        "what_if_steps": (),
        "worklist_settings": (),
    }
    # In these an empty cell stands for any funnel, or for no stage.
    optional_columns = {"loss_endings": ("funnel_id",), "intent_rules": ("stage_id",)}
    for table, columns in stage_columns.items():
        optional = optional_columns.get(table, ())
        for row in tables[table]:
            funnel_id = row["funnel_id"]
            if not funnel_id and "funnel_id" in optional:
                continue
            if funnel_id not in funnels:
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "funnel_id",
                    "a funnel that funnels.csv declares",
                    repr(funnel_id),
                    f"Declared are {_listed(funnels)}.",
                )
                continue
            for column in columns:
                if not row[column] and column in optional:
                    continue
                if (funnel_id, row[column]) not in stages:
                    known = {stage_id for funnel, stage_id in stages if funnel == funnel_id}
                    yield Mistake(
                        f"{table}.csv",
                        row.line,
                        column,
                        f"a stage that funnel_stages.csv declares for funnel {funnel_id!r}",
                        repr(row[column]),
                        f"Declared are {_listed(known)}.",
                    )


def rules_can_match(tables: Tables) -> Iterator[Mistake]:
    """Every rule says something that can happen to a subject of its funnel."""
    subject_types = {funnel["funnel_id"]: funnel["subject_type"] for funnel in tables["funnels"]}
    for rule in tables["stage_rules"]:
        subject_type = subject_types.get(rule["funnel_id"])
        if subject_type and rule["rule_type"] not in RULE_TYPES_OF[subject_type]:
            yield Mistake(
                "stage_rules.csv",
                rule.line,
                "rule_type",
                f"one of {', '.join(RULE_TYPES_OF[subject_type])}, as the subjects of funnel "
                f"{rule['funnel_id']!r} are of type {subject_type}",
                repr(rule["rule_type"]),
                "Change the rule, or the funnel's subject_type (person has all of them).",
            )
        if not rule["match_value"]:
            yield Mistake(
                "stage_rules.csv",
                rule.line,
                "match_value",
                f"what the {rule['rule_type']} has to match",
                "nothing",
                "Write the name; for any name at all write match_type regex and match_value .*",
            )
        if rule["match_type"] == "regex":
            yield from _is_regular_expression("stage_rules", rule, "match_value")
        if rule["property_value"] and not rule["property_name"]:
            yield Mistake(
                "stage_rules.csv",
                rule.line,
                "property_name",
                "the property that has to hold the property_value",
                "nothing",
                "Name the property, or leave both empty.",
            )
        if rule["property_name"] and rule["rule_type"] != "event":
            yield Mistake(
                "stage_rules.csv",
                rule.line,
                "property_name",
                f"nothing, as only events have properties and the rule_type is {rule['rule_type']}",
                repr(rule["property_name"]),
                "Leave property_name and property_value empty, or match an event.",
            )
        if rule["occurrence_of"] and not rule["occurrence"]:
            yield Mistake(
                "stage_rules.csv",
                rule.line,
                "occurrence_of",
                "nothing, as the rule has no occurrence",
                repr(rule["occurrence_of"]),
                "Write which occurrence counts, such as 1, or leave both empty.",
            )
        if rule["valid_from"] and rule["valid_to"] and rule["valid_to"] < rule["valid_from"]:
            yield Mistake(
                "stage_rules.csv",
                rule.line,
                "valid_to",
                f"a date not before valid_from, which is {rule['valid_from']}",
                rule["valid_to"],
                "Correct one of the two dates.",
            )


def _is_regular_expression(table: str, rule: Row, column: str) -> Iterator[Mistake]:
    # Asked of the engine itself: its expressions have no look-ahead, other than those of Python.
    try:
        _engine().execute("select regexp_matches('', ?)", [rule[column]])
    except duckdb.Error as error:
        yield Mistake(
            f"{table}.csv",
            rule.line,
            column,
            "a regular expression of the RE2 syntax",
            repr(rule[column]),
            f"DuckDB says: {str(error).splitlines()[0].removeprefix('Invalid Input Error: ')}. "
            "A sign that is meant itself has a backslash before it, as in \\(.",
        )


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """A database without data, opened once: opening takes longer than a hundred questions."""
    return duckdb.connect()


def traffic_can_be_recognised(tables: Tables) -> Iterator[Mistake]:
    """Every regular expression that recognises traffic can be read."""
    for rule in tables["excluded_traffic"]:
        if rule["match_type"] == "regex":
            yield from _is_regular_expression("excluded_traffic", rule, "match_value")


def channels_can_be_told(tables: Tables) -> Iterator[Mistake]:
    """Every regular expression that tells a channel can be read."""
    for rule in tables["channel_rules"]:
        for column in SESSION_ORIGINS:
            if rule[column]:
                yield from _is_regular_expression("channel_rules", rule, column)


def stages_can_be_entered(tables: Tables) -> Iterator[Mistake]:
    """No stage is without a rule."""
    ruled = {(rule["funnel_id"], rule["stage_id"]) for rule in tables["stage_rules"]}
    for stage in tables["funnel_stages"]:
        if (stage["funnel_id"], stage["stage_id"]) not in ruled:
            yield Mistake(
                "funnel_stages.csv",
                stage.line,
                "stage_id",
                f"at least one rule for stage {stage['stage_id']!r} of funnel "
                f"{stage['funnel_id']!r} in stage_rules.csv",
                "none",
                "Add what counts as entering it, or remove the stage.",
            )


def held_stages_can_be_served(tables: Tables) -> Iterator[Mistake]:
    """Where a property is held constant, events serve every stage of the ladder."""
    held = {row["funnel_id"]: row["hold_constant"] for row in tables["funnels"]}
    ruled = {(rule["funnel_id"], rule["stage_id"]) for rule in tables["stage_rules"]}
    served = {
        (rule["funnel_id"], rule["stage_id"])
        for rule in tables["stage_rules"]
        if rule["rule_type"] == "event"
    }
    for stage in tables["funnel_stages"]:
        funnel_id, stage_id = stage["funnel_id"], stage["stage_id"]
        if (
            held.get(funnel_id)
            and stage["stage_kind"] != "lost"
            and (funnel_id, stage_id) in ruled - served
        ):
            yield Mistake(
                "funnel_stages.csv",
                stage.line,
                "stage_id",
                f"at least one rule of type event for stage {stage_id!r}, as funnel "
                f"{funnel_id!r} holds {held[funnel_id]!r} constant and only events have properties",
                "none",
                "Add such a rule to stage_rules.csv, or leave hold_constant empty.",
            )


def exclusions_can_apply(tables: Tables) -> Iterator[Mistake]:
    """An exclusion lies between two stages of the ladder, the first one lower."""
    positions = {
        (stage["funnel_id"], stage["stage_id"]): stage["stage_position"]
        for stage in tables["funnel_stages"]
    }
    modes = {funnel["funnel_id"]: funnel["order_mode"] for funnel in tables["funnels"]}
    for exclusion in tables["funnel_exclusions"]:
        funnel_id = exclusion["funnel_id"]
        after = positions.get((funnel_id, exclusion["after_stage_id"]))
        before = positions.get((funnel_id, exclusion["before_stage_id"]))
        if modes.get(funnel_id) == "furthest":
            yield Mistake(
                "funnel_exclusions.csv",
                exclusion.line,
                "funnel_id",
                "a funnel of order_mode ordered, strict or any",
                f"{funnel_id!r}, whose order_mode is furthest",
                "Remove the exclusion, or change the order_mode of the funnel.",
            )
        if after is None or before is None:
            continue
        if not after or not before or int(after) >= int(before):
            yield Mistake(
                "funnel_exclusions.csv",
                exclusion.line,
                "before_stage_id",
                f"a stage that stands higher in the ladder than {exclusion['after_stage_id']!r}",
                repr(exclusion["before_stage_id"]),
                "Name two stages that have positions, the lower one as after_stage_id.",
            )


def segments_are_named_apart(tables: Tables) -> Iterator[Mistake]:
    """No segment takes the name of the total."""
    for segment in tables["segments"]:
        if segment["segment_name"].lower() in RESERVED_SEGMENT_NAMES:
            yield Mistake(
                "segments.csv",
                segment.line,
                "segment_name",
                "another name than all",
                repr(segment["segment_name"]),
                "Rename the segment: all/all is the row of the total.",
            )


def hours_end_after_they_begin(tables: Tables) -> Iterator[Mistake]:
    """Whoever opens closes later on the same day, and nobody opens on a day off."""
    for table in ("working_hours", "calendar"):
        for row in tables[table]:
            opens_at, closes_at = row["opens_at"], row["closes_at"]
            if table == "calendar" and row["is_working_day"] == "false" and (opens_at or closes_at):
                yield Mistake(
                    "calendar.csv",
                    row.line,
                    "opens_at" if opens_at else "closes_at",
                    "no hours, as is_working_day is false",
                    repr(opens_at or closes_at),
                    "Leave the hours empty, or make is_working_day true.",
                )
            elif opens_at and closes_at and closes_at <= opens_at:
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "closes_at",
                    f"a time after opens_at, which is {opens_at}",
                    repr(closes_at),
                    "Write 24:00 for the end of the day; the hours of a day end with it.",
                )


def segments_are_taken_somewhere(tables: Tables) -> Iterator[Mistake]:
    """Every segment belongs to funnels that are declared, and names a stage of theirs if any."""
    subject_types = {funnel["funnel_id"]: funnel["subject_type"] for funnel in tables["funnels"]}
    for segment in tables["segments"]:
        funnel_id, subject_type = segment["funnel_id"], segment["subject_type"]
        if funnel_id and funnel_id not in subject_types:
            yield Mistake(
                "segments.csv",
                segment.line,
                "funnel_id",
                "a funnel that funnels.csv declares, or nothing",
                repr(funnel_id),
                f"Declared are {_listed(set(subject_types))}.",
            )
            continue
        if funnel_id and subject_types[funnel_id] != subject_type:
            yield Mistake(
                "segments.csv",
                segment.line,
                "funnel_id",
                f"a funnel whose subjects are of type {subject_type}",
                f"{funnel_id!r}, whose subjects are of type {subject_types[funnel_id]}",
                "Correct the funnel or the subject_type.",
            )
            continue
        yield from _segment_has_its_stage(segment, tables)


def _segment_has_its_stage(segment: Row, tables: Tables) -> Iterator[Mistake]:
    stage_id = segment["stage_id"]
    if segment["taken_at"] != "stage":
        if stage_id:
            yield Mistake(
                "segments.csv",
                segment.line,
                "stage_id",
                f"nothing, as taken_at is {segment['taken_at']}",
                repr(stage_id),
                "Leave it empty, or write stage as taken_at.",
            )
        return
    if not stage_id:
        yield Mistake(
            "segments.csv",
            segment.line,
            "stage_id",
            "the stage at whose entry the value is taken, as taken_at is stage",
            "nothing",
            "Name the stage, or choose another taken_at.",
        )
        return
    if not _funnels_of(segment, tables):
        funnels = _funnels_of_subject(segment, tables)
        known = {
            stage["stage_id"] for stage in tables["funnel_stages"] if stage["funnel_id"] in funnels
        }
        of_which = (
            f"for funnel {segment['funnel_id']!r}"
            if segment["funnel_id"]
            else f"for a funnel whose subjects are of type {segment['subject_type']}"
        )
        yield Mistake(
            "segments.csv",
            segment.line,
            "stage_id",
            f"a stage that funnel_stages.csv declares {of_which}",
            repr(stage_id),
            f"Declared are {_listed(known)}.",
        )


def segments_stand_once_in_a_funnel(tables: Tables) -> Iterator[Mistake]:
    """No funnel has two segments of one name, however their rows come to it."""
    first_line: dict[tuple[str, str], int] = {}
    for segment in tables["segments"]:
        name = segment["segment_name"]
        for funnel_id in _funnels_of(segment, tables):
            first = first_line.setdefault((name, funnel_id), segment.line)
            if first != segment.line:
                yield Mistake(
                    "segments.csv",
                    segment.line,
                    "segment_name",
                    f"segment {name!r} once for funnel {funnel_id!r}",
                    f"it again, first in line {first}",
                    "Rename or remove one of the two; a row without funnel_id is for every funnel "
                    "of its subject_type.",
                )
                break


def _funnels_of_subject(segment: Row, tables: Tables) -> list[str]:
    return [
        funnel["funnel_id"]
        for funnel in tables["funnels"]
        if funnel["subject_type"] == segment["subject_type"]
        and segment["funnel_id"] in ("", funnel["funnel_id"])
    ]


def _funnels_of(segment: Row, tables: Tables) -> list[str]:
    """The funnels that a row of segments.csv gives a segment to."""
    funnels = _funnels_of_subject(segment, tables)
    if segment["taken_at"] != "stage":
        return funnels
    staged = {
        stage["funnel_id"]
        for stage in tables["funnel_stages"]
        if stage["stage_id"] == segment["stage_id"]
    }
    return [funnel_id for funnel_id in funnels if funnel_id in staged]


def limits_are_of_what_is_tied(tables: Tables) -> Iterator[Mistake]:
    """A limit is one on what rows can tie the identifier to."""
    for limit in tables["identity_limits"]:
        tied = TIES_OF.get(limit["identifier_type"], ())
        if limit["tied_type"] and tied and limit["tied_type"] not in tied:
            yield Mistake(
                "identity_limits.csv",
                limit.line,
                "tied_type",
                f"for {limit['identifier_type']} one of {', '.join(tied)}",
                repr(limit["tied_type"]),
                "Correct the word, or remove the row.",
            )


def order_precedences_differ(tables: Tables) -> Iterator[Mistake]:
    """Of two sources that have the same order, it is known whose word counts."""
    first: dict[str, Row] = {}
    for source in tables["sources"]:
        precedence = source["order_precedence"]
        if precedence and first.setdefault(precedence, source) is not source:
            yield Mistake(
                "sources.csv",
                source.line,
                "order_precedence",
                f"another number than that of source {first[precedence]['source']!r} in line "
                f"{first[precedence].line}",
                repr(precedence),
                "Number the sources 1, 2, 3 in the order in which their word counts, or leave it "
                "empty for a source whose orders are in no other.",
            )


def deal_sizes_do_not_overlap(tables: Tables) -> Iterator[Mistake]:
    """An amount lies in one band of its funnel at most, and an average within its band."""
    by_funnel = sorted(
        tables["deal_size_bands"],
        key=lambda band: (band["funnel_id"], float(band["amount_from"])),
    )
    for _, bands in groupby(by_funnel, key=lambda band: band["funnel_id"]):
        below = None
        for band in bands:
            amount_from = float(band["amount_from"])
            if below is not None and amount_from < below:
                yield Mistake(
                    "deal_size_bands.csv",
                    band.line,
                    "amount_from",
                    f"at least {below:g}, where the band before ends"
                    if below < float("inf")
                    else "no further band, as the one before has no amount_below",
                    band["amount_from"],
                    "Let every amount lie in one band at most.",
                )
            below = float(band["amount_below"] or "inf")
            if below <= amount_from:
                yield Mistake(
                    "deal_size_bands.csv",
                    band.line,
                    "amount_below",
                    f"an amount above amount_from, which is {band['amount_from']}",
                    band["amount_below"],
                    "Correct one of the two amounts.",
                )
            average = band["average_amount"]
            if average and not amount_from <= float(average) < below:
                yield Mistake(
                    "deal_size_bands.csv",
                    band.line,
                    "average_amount",
                    f"an amount of the band {band['band_name']!r}",
                    average,
                    "Correct it, or leave it empty to take the average of what was won.",
                )


def endings_can_be_told(tables: Tables) -> Iterator[Mistake]:
    """Every regular expression that tells how a loss ended can be read."""
    for rule in tables["loss_endings"]:
        if rule["match_type"] == "regex":
            yield from _is_regular_expression("loss_endings", rule, "match_value")


def measures_raise_a_step(tables: Tables) -> Iterator[Mistake]:
    """A win-back measure is on a stage with a step rate: one of the ladder, not its first."""
    positions = {
        (stage["funnel_id"], stage["stage_id"]): stage["stage_position"]
        for stage in tables["funnel_stages"]
    }
    for measure in tables["win_back_measures"]:
        position = positions.get((measure["funnel_id"], measure["stage_id"]))
        if position is not None and position in ("", "1"):
            yield Mistake(
                "win_back_measures.csv",
                measure.line,
                "stage_id",
                "a stage of the ladder behind its first, as the uplift is of the step into it",
                f"{measure['stage_id']!r}, "
                + ("the first" if position else "in which subjects are lost"),
                "Name the stage that more subjects shall reach.",
            )


def agreed_contacts_are_a_range(tables: Tables) -> Iterator[Mistake]:
    """Nobody agrees on at least three contacts and at most two."""
    for agreed in tables["follow_up_agreement"]:
        at_least, at_most = agreed["contacts_from"], agreed["contacts_to"]
        if at_most and int(at_most) < int(at_least):
            yield Mistake(
                "follow_up_agreement.csv",
                agreed.line,
                "contacts_to",
                f"at least contacts_from, which is {at_least}",
                at_most,
                "Correct one of the two, or leave contacts_to empty for any number.",
            )


def intents_can_be_told(tables: Tables) -> Iterator[Mistake]:
    """Each rule looks at an attribute or a stage of a record, and gives an agreed intent."""
    subject_types = {funnel["funnel_id"]: funnel["subject_type"] for funnel in tables["funnels"]}
    lost = {
        (stage["funnel_id"], stage["stage_id"])
        for stage in tables["funnel_stages"]
        if stage["stage_kind"] == "lost"
    }
    intents = {agreed["intent"] for agreed in tables["follow_up_agreement"]}
    for rule in tables["intent_rules"]:
        subject_type = subject_types.get(rule["funnel_id"])
        if subject_type not in (None, "lead", "opportunity"):
            yield Mistake(
                "intent_rules.csv",
                rule.line,
                "funnel_id",
                "a funnel whose subjects are leads or opportunities",
                f"{rule['funnel_id']!r}, whose subjects are of type {subject_type}",
                "Remove the rule: only records have activities.",
            )
        if bool(rule["attribute"]) == bool(rule["stage_id"]):
            yield Mistake(
                "intent_rules.csv",
                rule.line,
                "attribute",
                "either an attribute of the record or a stage_id",
                "both" if rule["attribute"] else "none of the two",
                "Name one of the two.",
            )
        elif bool(rule["attribute"]) != bool(rule["match_value"]):
            yield Mistake(
                "intent_rules.csv",
                rule.line,
                "match_value",
                "the value of the attribute"
                if rule["attribute"]
                else "nothing, as the rule names a stage",
                repr(rule["match_value"]) if rule["match_value"] else "nothing",
                "For any value at all write match_type regex and match_value .*"
                if rule["attribute"]
                else "Leave it empty.",
            )
        if (rule["funnel_id"], rule["stage_id"]) in lost:
            yield Mistake(
                "intent_rules.csv",
                rule.line,
                "stage_id",
                "a stage of the ladder",
                f"{rule['stage_id']!r}, in which records are lost",
                "Name a stage in which records are followed up.",
            )
        if rule["match_type"] == "regex":
            yield from _is_regular_expression("intent_rules", rule, "match_value")
        if rule["intent"] not in intents:
            yield Mistake(
                "intent_rules.csv",
                rule.line,
                "intent",
                "an intent that follow_up_agreement.csv has",
                repr(rule["intent"]),
                f"Agreed are {_listed(intents)}.",
            )


def health_rules_have_their_bounds(tables: Tables) -> Iterator[Mistake]:
    """A rule for owners has the bounds that it asks for and no others, in a funnel of deals."""
    with_deals = {
        funnel["funnel_id"]
        for funnel in tables["funnels"]
        if funnel["subject_type"] == "opportunity"
    }
    for rule in tables["owner_health_rules"]:
        name, funnel_id = rule["rule_name"], rule["funnel_id"]
        if funnel_id and funnel_id not in with_deals:
            yield Mistake(
                "owner_health_rules.csv",
                rule.line,
                "funnel_id",
                "a funnel that funnels.csv declares with subject_type opportunity, or nothing",
                repr(funnel_id),
                f"Declared are {_listed(with_deals)}.",
            )
        for column in ("at_least", "at_most", "cases_at_least", "within_hours"):
            is_asked_for = column in HEALTH_RULES.get(name, ())
            if name in HEALTH_RULES and is_asked_for != bool(rule[column]):
                yield Mistake(
                    "owner_health_rules.csv",
                    rule.line,
                    column,
                    f"{'a number' if is_asked_for else 'nothing'} for the rule {name}",
                    repr(rule[column]) if rule[column] else "nothing",
                    f"It asks for {', '.join(HEALTH_RULES[name])} and nothing else.",
                )
        if rule["at_least"] and rule["at_most"] and int(rule["at_least"]) > int(rule["at_most"]):
            yield Mistake(
                "owner_health_rules.csv",
                rule.line,
                "at_most",
                f"a number not below at_least, which is {rule['at_least']}",
                rule["at_most"],
                "Correct one of the two numbers.",
            )


def health_rules_stand_once_in_a_funnel(tables: Tables) -> Iterator[Mistake]:
    """A rule for owners has one row for all funnels, and one for each that has its own bounds."""
    first: dict[tuple[str, str], Row] = {}
    for rule in tables["owner_health_rules"]:
        name, funnel_id = rule["rule_name"], rule["funnel_id"]
        if first.setdefault((name, funnel_id), rule) is not rule:
            where = f"funnel {funnel_id!r}" if funnel_id else "all funnels"
            yield Mistake(
                "owner_health_rules.csv",
                rule.line,
                "rule_name",
                f"the rule {name} once for {where}",
                f"it again, first in line {first[name, funnel_id].line}",
                "Remove one of the two, or name the funnel that it is for.",
            )


def bands_are_named_apart(tables: Tables) -> Iterator[Mistake]:
    """No band takes the name of what is in no band, or of all deals."""
    for band in tables["deal_size_bands"]:
        if band["band_name"].lower() in RESERVED_BAND_NAMES:
            yield Mistake(
                "deal_size_bands.csv",
                band.line,
                "band_name",
                f"another name than {', '.join(RESERVED_BAND_NAMES)}",
                repr(band["band_name"]),
                "Rename the band: this name stands for something else in the published tables.",
            )


def planned_rates_are_of_open_stages(tables: Tables) -> Iterator[Mistake]:
    """A planned rate leads from an open stage to the next: from a closed one nothing is planned."""
    for stage in tables["funnel_stages"]:
        if stage["planned_step_rate"] and stage["stage_kind"] != "open":
            yield Mistake(
                "funnel_stages.csv",
                stage.line,
                "planned_step_rate",
                f"nothing for stage {stage['stage_id']!r}, as its stage_kind is "
                f"{stage['stage_kind']}",
                stage["planned_step_rate"],
                "Write the rate to the next stage beside the open stage that it leads from.",
            )


def _is_of_deals(table: str, row: Row, tables: Tables) -> Iterator[Mistake]:
    """The funnel of the row is one of opportunities, and can be won."""
    funnel_id = row["funnel_id"]
    for funnel in tables["funnels"]:
        if funnel["funnel_id"] == funnel_id and funnel["subject_type"] != "opportunity":
            yield Mistake(
                f"{table}.csv",
                row.line,
                "funnel_id",
                "a funnel whose subjects are of type opportunity",
                f"{funnel_id!r}, whose subjects are of type {funnel['subject_type']}",
                "Name a funnel of opportunities: only they have deals.",
            )
        elif funnel["funnel_id"] == funnel_id and funnel["order_mode"] != "furthest":
            yield Mistake(
                f"{table}.csv",
                row.line,
                "funnel_id",
                "a funnel whose order_mode is furthest, the way of a pipeline",
                f"{funnel_id!r}, whose order_mode is {funnel['order_mode']}",
                "Name a funnel of deals in a pipeline, or change the order_mode of this one.",
            )
    kinds = {
        stage["stage_kind"] for stage in tables["funnel_stages"] if stage["funnel_id"] == funnel_id
    }
    if kinds and "won" not in kinds:
        yield Mistake(
            f"{table}.csv",
            row.line,
            "funnel_id",
            "a funnel with a won stage",
            f"{funnel_id!r}, which has none",
            "Give the stage in which deals are won the stage_kind won.",
        )


def _period_begins(table: str, row: Row) -> Iterator[Mistake]:
    """The period's date is its first day."""
    grain, day = row["period_grain"], row["period_date"]
    first_months = {"month": range(1, 13), "quarter": (1, 4, 7, 10), "year": (1,)}.get(grain)
    if not (first_months and day):
        return
    if not day.endswith("-01") or int(day[5:7]) not in first_months:
        yield Mistake(
            f"{table}.csv",
            row.line,
            "period_date",
            f"the first day of a {grain}",
            day,
            "Write the day on which the period begins, or another period_grain.",
        )


def plans_can_be_made(tables: Tables) -> Iterator[Mistake]:
    """A plan's target is one number, for a period, of a band or of all deals."""
    bands: dict[str, set[str]] = {}
    for band in tables["deal_size_bands"]:
        bands.setdefault(band["funnel_id"], set()).add(band["band_name"])
    first: dict[tuple[str, ...], Row] = {}
    for target in tables["funnel_plan_targets"]:
        funnel_id, band_name = target["funnel_id"], target["band_name"]
        yield from _is_of_deals("funnel_plan_targets", target, tables)
        yield from _period_begins("funnel_plan_targets", target)
        if bool(target["target_wins"]) == bool(target["target_amount"]):
            yield Mistake(
                "funnel_plan_targets.csv",
                target.line,
                "target_wins",
                "either target_wins or target_amount",
                "both" if target["target_wins"] else "neither",
                "Write one of the two: the other follows from the average amount of a deal.",
            )
        if band_name and band_name not in bands.get(funnel_id, set()):
            yield Mistake(
                "funnel_plan_targets.csv",
                target.line,
                "band_name",
                f"a band that deal_size_bands.csv declares for funnel {funnel_id!r}, or nothing",
                repr(band_name),
                f"Declared are {_listed(bands.get(funnel_id, set()))}.",
            )
        period = (funnel_id, target["period_grain"], target["period_date"])
        if bool(first.setdefault(period, target)["band_name"]) != bool(band_name):
            yield Mistake(
                "funnel_plan_targets.csv",
                target.line,
                "band_name",
                "all targets of a period by band, or one target without",
                repr(band_name) if band_name else "nothing",
                f"Remove this row or the one in line {first[period].line}: the deals of the bands "
                "would be planned twice.",
            )


def stage_targets_can_be_met(tables: Tables) -> Iterator[Mistake]:
    """A stage's target says what is aimed at, of whom, in a period, on the way to the win."""
    positions = {
        (stage["funnel_id"], stage["stage_id"]): stage["stage_position"]
        for stage in tables["funnel_stages"]
    }
    won_positions: dict[str, int] = {}
    for stage in tables["funnel_stages"]:
        if stage["stage_kind"] == "won" and stage["stage_position"]:
            won = int(stage["stage_position"])
            won_positions[stage["funnel_id"]] = min(won, won_positions.get(stage["funnel_id"], won))
    for target in tables["stage_targets"]:
        funnel_id, stage_id = target["funnel_id"], target["stage_id"]
        yield from _is_of_deals("stage_targets", target, tables)
        yield from _period_begins("stage_targets", target)
        position = positions.get((funnel_id, stage_id))
        if position is not None and not (
            position and int(position) <= won_positions.get(funnel_id, int(position))
        ):
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "stage_id",
                f"a stage of the ladder of funnel {funnel_id!r}, up to the first won one",
                repr(stage_id),
                "Name an open stage, or the stage in which deals are won.",
            )
        if target["team"] and target["owner_id"]:
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "team",
                "a team or an owner_id, or neither for all deals",
                "both",
                "Leave the team empty: an owner is in one already.",
            )
        if not any(target[name] for name in ("target_deals", "target_amount", "target_step_rate")):
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "target_deals",
                "at least one of target_deals, target_amount and target_step_rate",
                "none",
                "Write what is aimed at, or remove the row.",
            )
        if target["target_step_rate"] and position == "1":
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "target_step_rate",
                f"nothing for stage {stage_id!r}, as it is the first",
                target["target_step_rate"],
                "Write the rate beside the stage that it leads to, from the one before.",
            )


def what_if_steps_can_be_taken(tables: Tables) -> Iterator[Mistake]:
    """Only a rate has points; times and entries change by a share of what they are."""
    for step in tables["what_if_steps"]:
        yield from _is_of_deals("what_if_steps", step, tables)
        if step["unit"] == "points" and step["lever"] in ("cycle_time", "entries"):
            yield Mistake(
                "what_if_steps.csv",
                step.line,
                "unit",
                f"percent, as the lever is {step['lever']}",
                "'points'",
                "Write by how many percent it changes: only a rate has points.",
            )


RULES: tuple[Callable[[Tables], Iterator[Mistake]], ...] = (
    funnels_are_consistent,
    stages_form_ladders,
    names_are_known,
    rules_can_match,
    stages_can_be_entered,
    held_stages_can_be_served,
    exclusions_can_apply,
    segments_are_named_apart,
    hours_end_after_they_begin,
    segments_are_taken_somewhere,
    segments_stand_once_in_a_funnel,
    limits_are_of_what_is_tied,
    traffic_can_be_recognised,
    channels_can_be_told,
    order_precedences_differ,
    deal_sizes_do_not_overlap,
    endings_can_be_told,
    measures_raise_a_step,
    agreed_contacts_are_a_range,
    intents_can_be_told,
    health_rules_have_their_bounds,
    health_rules_stand_once_in_a_funnel,
    bands_are_named_apart,
    planned_rates_are_of_open_stages,
    plans_can_be_made,
    stage_targets_can_be_met,
    what_if_steps_can_be_taken,
)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
