"""What must hold of rules for the work of sales: losses, win-back, follow-up, health."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.declaration_rules.common import Tables, is_regular_expression, listed
from orchestration.declaration_tables import HEALTH_RULE_OPTIONS, HEALTH_RULES, Mistake, Row


def endings_can_be_told(tables: Tables) -> Iterator[Mistake]:
    """Every regular expression that tells how a loss ended can be read."""
    for rule in tables["loss_endings"]:
        if rule["match_type"] == "regex":
            yield from is_regular_expression("loss_endings", rule, "match_value")


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
            yield from is_regular_expression("intent_rules", rule, "match_value")
        if rule["intent"] not in intents:
            yield Mistake(
                "intent_rules.csv",
                rule.line,
                "intent",
                "an intent that follow_up_agreement.csv has",
                repr(rule["intent"]),
                f"Agreed are {listed(intents)}.",
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
                f"Declared are {listed(with_deals)}.",
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
        for column, option_of in HEALTH_RULE_OPTIONS.items():
            if rule[column] and name != option_of:
                yield Mistake(
                    "owner_health_rules.csv",
                    rule.line,
                    column,
                    f"nothing for the rule {name}",
                    repr(rule[column]),
                    f"Leave it empty: it is for {option_of}.",
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
