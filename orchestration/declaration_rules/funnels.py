"""What must hold of funnels, their stages, what enters a stage, and what excludes from it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from orchestration.declaration_rules.common import Tables, is_regular_expression
from orchestration.declaration_tables import Mistake, Row

# The stage numbers of a journey are kept in the 32 bits of an integer.
MAX_STAGES = 32

# These words stand in stage columns of the published tables for what is not a stage.
RESERVED_STAGE_IDS = ("entry", "still_there", "ended", "abandoned", "any_exit", "all")

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
            yield from is_regular_expression("stage_rules", rule, "match_value")
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
