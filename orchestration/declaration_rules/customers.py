"""What must hold of what customers are scored, named and judged by."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise, product

from orchestration.declaration_rules.common import Tables, is_regular_expression, listed
from orchestration.declaration_tables import RFM_MEASURES, RFM_SCORES, Mistake, Row

# What a record tells of its own outcome. By these everybody who converted would have been a good
# lead from the beginning.
KNOWN_AFTERWARDS = (
    "closed_at",
    "converted_record_id",
    "deleted_at",
    "is_deleted",
    "loss_reason",
    "merged_into_id",
    "stage",
    "updated_at",
)


def leads_can_be_qualified(tables: Tables) -> Iterator[Mistake]:
    """Rules for money, authority and need look at what records have when a journey begins."""
    for rule in tables["qualification_rules"]:
        yield from _is_of_records("qualification_rules", rule, tables)
        yield from _is_known_at_entry("qualification_rules", rule, "attribute")
        if rule["match_type"] == "regex":
            yield from is_regular_expression("qualification_rules", rule, "match_value")


def features_are_known_at_entry(tables: Tables) -> Iterator[Mistake]:
    """Each feature of a score is one that the subjects of the funnel have when they enter it."""
    file = "lead_score_features.csv"
    types = {funnel["funnel_id"]: funnel["subject_type"] for funnel in tables["funnels"]}
    for row in tables["lead_score_features"]:
        funnel_id, subject_type = row["funnel_id"], types.get(row["funnel_id"])
        if row["feature_type"] == "attribute":
            yield from _is_of_records("lead_score_features", row, tables)
            yield from _is_known_at_entry("lead_score_features", row, "feature_name")
        elif row["feature_type"] == "sessions" and subject_type not in (None, "visitor", "user"):
            yield Mistake(
                file,
                row.line,
                "feature_type",
                "attribute or segment, as the subjects are neither visitors nor users",
                "'sessions'",
                "Whose sessions they are is often told only by who converts.",
            )
        elif row["feature_type"] == "segment" and subject_type is not None:
            segments = {
                segment["segment_name"]
                for segment in tables["segments"]
                if segment["subject_type"] == subject_type
                and segment["taken_at"] == "entry"
                and segment["funnel_id"] in ("", funnel_id)
            }
            if row["feature_name"] not in segments:
                yield Mistake(
                    file,
                    row.line,
                    "feature_name",
                    f"a segment that segments.csv takes at entry for funnel {funnel_id!r}",
                    repr(row["feature_name"]),
                    f"Declared are {listed(segments)}.",
                )


def deals_can_be_prioritised(tables: Tables) -> Iterator[Mistake]:
    """Only deals have an amount and an expected close date."""
    types = {funnel["funnel_id"]: funnel["subject_type"] for funnel in tables["funnels"]}
    for row in tables["priority_settings"]:
        subject_type = types.get(row["funnel_id"], "opportunity")
        if subject_type != "opportunity":
            yield Mistake(
                "priority_settings.csv",
                row.line,
                "funnel_id",
                "a funnel whose subjects are of type opportunity",
                f"{row['funnel_id']!r}, whose subjects are of type {subject_type}",
                "Remove the row: only deals have an amount and an expected close date.",
            )


def key_accounts_have_criteria(tables: Tables) -> Iterator[Mistake]:
    """Value and potential have a bound, an attribute has what it is compared with."""
    for rule in tables["key_account_rules"]:
        is_of_attribute = rule["criterion"] == "attribute"
        for column, is_wanted in (
            ("at_least", not is_of_attribute),
            ("attribute", is_of_attribute),
            ("match_value", is_of_attribute),
        ):
            if bool(rule[column]) != is_wanted:
                yield Mistake(
                    "key_account_rules.csv",
                    rule.line,
                    column,
                    f"{'something' if is_wanted else 'nothing'}, as the criterion is "
                    f"{rule['criterion']}",
                    repr(rule[column]) if rule[column] else "nothing",
                    "Value and potential have at_least, attributes attribute and match_value.",
                )
        if rule["match_type"] == "regex":
            yield from is_regular_expression("key_account_rules", rule, "match_value")


def _is_of_records(table: str, row: Row, tables: Tables) -> Iterator[Mistake]:
    for funnel in tables["funnels"]:
        subject_type = funnel["subject_type"]
        if funnel["funnel_id"] == row["funnel_id"] and subject_type not in ("lead", "opportunity"):
            yield Mistake(
                f"{table}.csv",
                row.line,
                "funnel_id",
                "a funnel whose subjects are leads or opportunities",
                f"{row['funnel_id']!r}, whose subjects are of type {subject_type}",
                "Remove the row: only records have such attributes.",
            )


def _is_known_at_entry(table: str, row: Row, column: str) -> Iterator[Mistake]:
    if row[column] in KNOWN_AFTERWARDS:
        yield Mistake(
            f"{table}.csv",
            row.line,
            column,
            "an attribute that is known when a journey begins",
            repr(row[column]),
            "It is known only by its outcome, and would foretell what has happened.",
        )


def cuts_part_all_scores(tables: Tables) -> Iterator[Mistake]:
    """A measure has cuts for all scores or for none, each harder to earn than that before it."""
    file = "rfm_cuts.csv"
    for measure in RFM_MEASURES:
        cuts = {cut["score"]: cut for cut in tables["rfm_cuts"] if cut["measure"] == measure}
        missing = [score for score in RFM_SCORES[1:] if score not in cuts]
        if cuts and missing:
            yield Mistake(
                file,
                min(cut.line for cut in cuts.values()),
                "score",
                f"cuts for the scores 2 to 5 of {measure}",
                f"none for {', '.join(missing)}",
                "Add the missing ones, or remove all cuts of the measure to score it by fifths.",
            )
        for lower, higher in pairwise(sorted(cuts.values(), key=lambda cut: cut["score"])):
            bounds = Decimal(lower["bound"]), Decimal(higher["bound"])
            is_harder = bounds[1] < bounds[0] if measure == "recency" else bounds[1] > bounds[0]
            if not is_harder:
                yield Mistake(
                    file,
                    higher.line,
                    "bound",
                    f"a number {'below' if measure == 'recency' else 'above'} {lower['bound']}, "
                    f"the bound of score {lower['score']}",
                    higher["bound"],
                    "Better scores are for fewer days, more orders or more revenue.",
                )


def rfm_segments_cover_all_scores(tables: Tables) -> Iterator[Mistake]:
    """Each of the 125 combinations of scores is in exactly one row, if there are any rows."""
    file = "rfm_segments.csv"
    first: dict[tuple[str, ...], Row] = {}
    for row in tables["rfm_segments"]:
        again: tuple[str, ...] = ()
        ranges = []
        for measure in RFM_MEASURES:
            lowest, highest = row[f"{measure}_from"], row[f"{measure}_to"]
            if lowest > highest:
                yield Mistake(
                    file,
                    row.line,
                    f"{measure}_to",
                    f"a score not below {measure}_from, which is {lowest}",
                    highest,
                    "Correct one of the two scores.",
                )
            ranges.append([score for score in RFM_SCORES if lowest <= score <= highest])
        for scores in product(*ranges):
            if first.setdefault(scores, row) is not row:
                again = again or scores
        if again:
            yield Mistake(
                file,
                row.line,
                "",
                "each combination of scores in one row",
                f"recency {again[0]}, frequency {again[1]}, monetary {again[2]} again, first in "
                f"line {first[again].line}",
                "Narrow one of the two rows.",
            )
    missing = [scores for scores in product(RFM_SCORES, repeat=3) if scores not in first]
    if first and missing:
        recency, frequency, monetary = missing[0]
        yield Mistake(
            file,
            0,
            "",
            "a row for each of the 125 combinations of scores",
            f"none for {len(missing)} of them, such as recency {recency}, frequency {frequency}, "
            f"monetary {monetary}",
            "Add rows, or remove all to leave customers without segments.",
        )
