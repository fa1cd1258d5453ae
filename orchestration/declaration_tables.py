"""What each declaration table may hold: its columns, their defaults and what a cell may be.

A new declaration table is added to TABLES. What holds between rows or tables is in
`declaration_rules`, one module a subject; reading and writing the files in `declarations`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration.extracts import known_systems


@dataclass(frozen=True)
class Mistake:
    """One mistake in a declaration: where, what was expected, what was found, what to do."""

    file: str
    line: int
    column: str
    expected: str
    found: str
    remedy: str

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f" line {self.line}"
        if self.column:
            place += f", column {self.column}"
        return f"{place}: expected {self.expected}, found {self.found}. {self.remedy}"


@dataclass(frozen=True)
class Row:
    """A row of a declaration table: the line of the file it stands on, and its cells by column."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


@dataclass(frozen=True)
class Refusal:
    """Why a cell cannot be used."""

    expected: str
    remedy: str


# Takes the text of a cell that is not empty; gives it in its normal form, or why it is refused.
CellReader = Callable[[str], str | Refusal]


@dataclass(frozen=True)
class Column:
    """A column of a declaration table.

    A required column must be in the file and filled in every row. Any other may be missing from
    the file or empty in a row, which both mean `default`; where the default is worked out from
    other columns, `default_in_words` says how.
    """

    name: str
    read: CellReader
    is_required: bool = False
    default: str = ""
    default_in_words: str = ""


@dataclass(frozen=True)
class Table:
    """A declaration table: the file <name>.csv. No two rows agree in all columns of `key`."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    is_required: bool = False

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


SUBJECT_TYPES = ("visitor", "session", "user", "person", "lead", "opportunity", "account")


# Which identifiers can be limited in what they tie, and what rows can tie them to.
TIES_OF = {
    "anonymous_id": ("user_id", "email"),
    "user_id": ("anonymous_id", "email", "contact_id"),
    "email": ("anonymous_id", "user_id", "contact_id", "record_id"),
}
IDENTIFIER_TYPES = ("anonymous_id", "user_id", "email", "contact_id", "record_id")


# What can be watched of each stage but the first; of the funnel, its entries.
METRICS_OF_STAGES = ("reached", "step_rate", "overall_rate")


# What is known of where a session came from, each of which a rule for a channel may look at.
SESSION_ORIGINS = (
    "campaign_source",
    "campaign_medium",
    "campaign_name",
    "referrer_host",
    "landing_page",
)


# The rules for the work of owners, and the columns of bounds that each of them asks for.
HEALTH_RULES = {
    "fewer_active_deals": ("at_least",),
    "too_many_active": ("at_most",),
    "signings_outside": ("at_least", "at_most"),
    "bumper_then_none": ("at_least", "cases_at_least"),
    "only_large": ("cases_at_least",),
    "only_small": ("cases_at_least",),
    "meetings_without_pipeline": ("at_least", "cases_at_least", "within_hours"),
    "no_next_step": ("at_most",),
    "won_never_in_funnel": ("at_most", "within_hours"),
    "moved_back_before_quota": ("at_most", "within_hours"),
}

# What else one of these rules can be told; left empty, it takes the usual.
HEALTH_RULE_OPTIONS = {
    "activity_types": "meetings_without_pipeline",
    "period_grain": "moved_back_before_quota",
}


# What customers are scored by, and the scores, from the worst to the best.
RFM_MEASURES = ("recency", "frequency", "monetary")
RFM_SCORES = ("1", "2", "3", "4", "5")


def text(cell: str) -> str | Refusal:
    """Any text."""
    return cell


def one_of(*choices: str) -> CellReader:
    """One of a few words, in lower case."""

    def read(cell: str) -> str | Refusal:
        if cell in choices:
            return cell
        return Refusal(f"one of {', '.join(choices)}", "Correct the word.")

    return read


def boolean(cell: str) -> str | Refusal:
    """True or false, in any case, as spreadsheets write it."""
    if cell.lower() in ("true", "false"):
        return cell.lower()
    return Refusal("true or false", "Write one of the two words.")


def number(at_least: float, at_most: float = float("inf"), above: bool = False) -> CellReader:
    """A number within bounds, the lower one excluded where `above` is set."""
    bounds = f"{'above' if above else 'from'} {at_least:g}"
    if at_most != float("inf"):
        bounds += f" to {at_most:g}"

    def read(cell: str) -> str | Refusal:
        refusal = Refusal(
            f"a number {bounds}", "Write it with digits and, for fractions, a decimal point."
        )
        if not re.fullmatch(r"\d+(\.\d+)?", cell):
            return refusal
        value = float(cell)
        if value > at_most or value < at_least or (above and value == at_least):
            return refusal
        return cell

    return read


def whole_number(cell: str) -> str | Refusal:
    """A position, counted from 1."""
    if re.fullmatch(r"\d{1,9}", cell) and int(cell) >= 1:
        return str(int(cell))
    return Refusal("a whole number from 1", "Number them 1, 2, 3 and so on.")


def count(cell: str) -> str | Refusal:
    """How many there may be."""
    if re.fullmatch(r"\d{1,9}", cell):
        return str(int(cell))
    return Refusal("a whole number from 0", "Write it with digits, or nothing for no limit.")


def target_count(cell: str) -> str | Refusal:
    """How many deals are aimed at."""
    if re.fullmatch(r"\d{1,9}", cell):
        return str(int(cell))
    return Refusal("a whole number from 0", "Write it with digits alone, as in 40.")


def change(cell: str) -> str | Refusal:
    """By how many points or percent something is changed, as decimal(9,4) holds it."""
    if re.fullmatch(r"-?\d{1,5}(\.\d{1,4})?", cell) and float(cell) >= -100 and float(cell) != 0:
        return f"{float(cell):.4f}".rstrip("0").rstrip(".")
    return Refusal(
        "a number from -100, other than 0, with at most 4 digits after the decimal point",
        "Write it as in 1 or -10.",
    )


def share(cell: str) -> str | Refusal:
    """A part of a whole, neither nothing nor all of it."""
    if re.fullmatch(r"0\.\d{1,6}", cell) and float(cell) > 0:
        return cell
    return Refusal(
        "a number above 0 and below 1 with at most 6 digits after the decimal point",
        "Write it as in 0.25.",
    )


def local_part(cell: str) -> str | Refusal:
    """What stands before the @ of an e-mail address, in lower case."""
    if re.fullmatch(r"[^\s@+]+", cell):
        return cell.lower()
    return Refusal(
        "what stands before the @ of an address, without a tag that begins with +",
        "Write it as in info.",
    )


def minutes(cell: str) -> str | Refusal:
    """A number of minutes, up to a day."""
    if re.fullmatch(r"\d{1,4}", cell) and 1 <= int(cell) <= 1_440:
        return str(int(cell))
    return Refusal("a whole number of minutes from 1 to 1440", "Write it as in 30, or nothing.")


def days(cell: str) -> str | Refusal:
    """A number of days, up to a hundred years."""
    if re.fullmatch(r"\d{1,5}", cell) and 1 <= int(cell) <= 36_525:
        return str(int(cell))
    return Refusal("a whole number of days from 1 to 36525", "Write it with digits, as in 90.")


def calendar_day(cell: str) -> str | Refusal:
    """A date, as in 2026-01-31."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell):
        try:
            return date.fromisoformat(cell).isoformat()
        except ValueError:
            pass
    return Refusal("a date written year-month-day", "Write it as in 2026-01-31.")


def time_zone(cell: str) -> str | Refusal:
    """An IANA time zone."""
    try:
        ZoneInfo(cell)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Refusal(
            "a time zone of the IANA list", "Write it as in Europe/Berlin, or UTC; case matters."
        )
    return cell


def currency(cell: str) -> str | Refusal:
    """A currency code of three capital letters."""
    if re.fullmatch(r"[A-Z]{3}", cell):
        return cell
    return Refusal("a currency code of three capital letters", "Write it as in EUR.")


def exchange_rate(cell: str) -> str | Refusal:
    """Units of the reporting currency for one unit of the currency, as decimal(18,8) holds it."""
    if re.fullmatch(r"\d{1,10}(\.\d{1,8})?", cell) and float(cell) > 0:
        return cell
    return Refusal(
        "a rate above 0 with at most 10 digits before and 8 after the decimal point",
        "Write how many units of the reporting currency one unit of the currency is worth.",
    )


def amount(cell: str) -> str | Refusal:
    """Money in the reporting currency, as decimal(18,4) holds it."""
    if re.fullmatch(r"\d{1,14}(\.\d{1,4})?", cell):
        return cell
    return Refusal(
        "an amount in the reporting currency, with at most 4 digits after the decimal point",
        "Write it with digits alone, as in 30000, without currency or thousands separator.",
    )


def cost(cell: str) -> str | Refusal:
    """Money in the currency beside it, as decimal(18,4) holds it."""
    if re.fullmatch(r"\d{1,14}(\.\d{1,4})?", cell):
        return cell
    return Refusal(
        "an amount of money, with at most 4 digits after the decimal point",
        "Write it with digits alone, as in 4200, and its currency in the column beside it.",
    )


def activity_types(cell: str) -> str | Refusal:
    """Types of activities, with semicolons between them."""
    names = [name.strip() for name in cell.split(";")]
    if all(names) and len(set(names)) == len(names):
        return ";".join(names)
    return Refusal(
        "types of activities with a semicolon between them, each once",
        "Write them as the extracts of activities do, as in call;meeting.",
    )


def weekday(cell: str) -> str | Refusal:
    """A day of the week, as in ISO 8601."""
    if re.fullmatch(r"[1-7]", cell):
        return cell
    return Refusal("a weekday from 1 to 7", "Write 1 for Monday, 2 for Tuesday, to 7 for Sunday.")


def time_of_day(cell: str) -> str | Refusal:
    """A time that a clock shows, as in 09:30; 24:00 is the end of the day."""
    if re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d|24:00", cell):
        return cell.zfill(5)
    return Refusal("a time from 00:00 to 24:00", "Write hours and minutes, as in 09:30 or 17:00.")


def occurrence(cell: str) -> str | Refusal:
    """Which of a subject's matching events counts: `1` the first only, `2+` all from the second."""
    if re.fullmatch(r"[1-9]\d{0,8}\+?", cell):
        return cell
    return Refusal(
        "an occurrence: a whole number from 1, or one followed by +, or nothing",
        "Write 1 for the first only, 2+ for the second and all later ones, nothing for any.",
    )


HOURS_OF_THE_WEEKDAY = (
    "as on that weekday, or on the first working day of the week where it is none; "
    "only on working days"
)

# What a target is for: nobody can tell whether one without a period is met.
PERIOD_OF_A_FUNNEL = (
    Column("funnel_id", text, is_required=True),
    Column("period_grain", one_of("month", "quarter", "year"), is_required=True),
    Column("period_date", calendar_day, is_required=True),
)

TABLES = (
    Table(
        "sources",
        (
            Column("source", text, is_required=True),
            Column("is_enabled", boolean, default="true"),
            Column(
                "system",
                one_of(*known_systems()),
                default_in_words="the system of the source's name, else generic",
            ),
            Column("timezone", time_zone, default="UTC"),
            Column("event_time", one_of("occurred", "collected", "received"), default="occurred"),
            Column("session_gap_minutes", minutes),
            Column("order_precedence", whole_number),
        ),
        key=("source",),
    ),
    Table(
        "funnels",
        (
            Column("funnel_id", text, is_required=True),
            Column("funnel_name", text, default_in_words="the funnel_id"),
            Column("subject_type", one_of(*SUBJECT_TYPES), is_required=True),
            Column("order_mode", one_of("furthest", "ordered", "strict", "any"), is_required=True),
            Column(
                "entry_policy",
                one_of("best", "first"),
                default_in_words="first if order_mode is furthest or count_by journey, else best",
            ),
            Column("count_by", one_of("subject", "journey"), default="subject"),
            Column("window_hours", number(0, above=True)),
            Column("tie_policy", one_of("source_order", "funnel_order"), default="source_order"),
            Column("collapse_repeats", boolean, default="true"),
            Column("pipeline", text),
            Column("hold_constant", text),
        ),
        key=("funnel_id",),
        is_required=True,
    ),
    Table(
        "funnel_stages",
        (
            Column("funnel_id", text, is_required=True),
            Column("stage_position", whole_number),
            Column("stage_id", text, is_required=True),
            Column("stage_name", text, default_in_words="the stage_id"),
            Column("stage_name_zh", text, default_in_words="the stage_name"),
            Column("stage_kind", one_of("open", "won", "lost"), default="open"),
            Column("is_optional", boolean, default="false"),
            Column("win_probability", number(0, 1)),
            Column("planned_step_rate", number(0, 1, above=True)),
            Column("target_hours", number(0)),
        ),
        key=("funnel_id", "stage_id"),
        is_required=True,
    ),
    Table(
        "stage_rules",
        (
            Column("funnel_id", text, is_required=True),
            Column("stage_id", text, is_required=True),
            Column(
                "rule_type",
                one_of("event", "lead_status", "opportunity_stage", "purchase"),
                is_required=True,
            ),
            Column("match_type", one_of("equals", "prefix", "regex"), default="equals"),
            Column(
                "match_value",
                text,
                default_in_words="completed for a purchase, which matches the order's status; "
                "every other rule needs one",
            ),
            Column("property_name", text),
            Column("property_value", text),
            Column("occurrence", occurrence),
            Column("occurrence_of", one_of("match", "name")),
            Column("valid_from", calendar_day),
            Column("valid_to", calendar_day),
        ),
        is_required=True,
    ),
    Table(
        "funnel_exclusions",
        (
            Column("funnel_id", text, is_required=True),
            Column("after_stage_id", text, is_required=True),
            Column("before_stage_id", text, is_required=True),
            Column("match_value", text, is_required=True),
        ),
    ),
    Table(
        "segments",
        (
            Column("segment_name", text, is_required=True),
            Column("subject_type", one_of(*SUBJECT_TYPES), is_required=True),
            Column("attribute", text, default_in_words="the segment_name"),
            Column("taken_at", one_of("entry", "stage", "first", "last", "each"), default="entry"),
            Column("stage_id", text),
            Column("funnel_id", text),
        ),
    ),
    Table(
        "segment_bands",
        (
            Column("segment_name", text, is_required=True),
            Column("band_name", text, is_required=True),
            Column("at_least", cost, is_required=True),
            Column("currency", currency, default_in_words="any currency"),
        ),
    ),
    Table(
        "exchange_rates",
        (
            Column("currency", currency, is_required=True),
            Column("valid_from", calendar_day, is_required=True),
            Column("rate", exchange_rate, is_required=True),
        ),
        key=("currency", "valid_from"),
    ),
    Table(
        "working_hours",
        (
            Column("weekday", weekday, is_required=True),
            Column("opens_at", time_of_day, is_required=True),
            Column("closes_at", time_of_day, is_required=True),
        ),
        key=("weekday",),
    ),
    Table(
        "horizons",
        (Column("horizon_days", days, is_required=True),),
        key=("horizon_days",),
    ),
    Table(
        "calendar",
        (
            Column("calendar_date", calendar_day, is_required=True),
            Column("is_working_day", boolean, is_required=True),
            Column("opens_at", time_of_day, default_in_words=HOURS_OF_THE_WEEKDAY),
            Column("closes_at", time_of_day, default_in_words=HOURS_OF_THE_WEEKDAY),
            Column("holiday_name", text),
        ),
        key=("calendar_date",),
    ),
    Table(
        "identity_limits",
        (
            Column("identifier_type", one_of(*TIES_OF), is_required=True),
            Column("tied_type", one_of(*IDENTIFIER_TYPES), is_required=True),
            Column("max_tied", count),
        ),
        key=("identifier_type", "tied_type"),
    ),
    Table(
        "role_addresses",
        (Column("local_part", local_part, is_required=True),),
        key=("local_part",),
    ),
    Table(
        "excluded_traffic",
        (
            Column("traffic_type", text, is_required=True),
            Column("excludes", one_of("event", "visitor"), default="event"),
            Column("property_name", text, is_required=True),
            Column("match_type", one_of("equals", "prefix", "regex"), default="equals"),
            Column("match_value", text, is_required=True),
        ),
    ),
    Table(
        "channel_rules",
        (
            Column("rule_position", whole_number, is_required=True),
            Column("channel", text, is_required=True),
            *(Column(name, text) for name in SESSION_ORIGINS),
        ),
        key=("rule_position",),
    ),
    Table(
        "known_on_dates",
        (Column("known_on", calendar_day, is_required=True),),
        key=("known_on",),
    ),
    Table(
        "deal_size_bands",
        (
            Column("funnel_id", text, is_required=True),
            Column("band_name", text, is_required=True),
            Column("amount_from", amount, default="0"),
            Column("amount_below", amount),
            Column("average_amount", amount),
        ),
        key=("funnel_id", "band_name"),
    ),
    Table(
        "loss_endings",
        (
            Column("rule_position", whole_number, is_required=True),
            Column("funnel_id", text),
            Column("match_type", one_of("equals", "prefix", "regex"), default="equals"),
            Column("match_value", text, is_required=True),
            Column(
                "ending",
                one_of("stopped_buying", "chose_competitor", "went_silent"),
                is_required=True,
            ),
        ),
        key=("rule_position",),
    ),
    Table(
        "win_back_measures",
        (
            Column("funnel_id", text, is_required=True),
            Column("stage_id", text, is_required=True),
            Column("measure_name", text, is_required=True),
            Column("uplift", number(0, 1), is_required=True),
            Column("uplift_kind", one_of("relative", "points"), is_required=True),
            Column("tried_from", calendar_day),
        ),
        key=("funnel_id", "stage_id", "measure_name"),
    ),
    Table(
        "follow_up_agreement",
        (
            Column("intent", text, is_required=True),
            Column("first_contact_hours", number(0, 744, above=True), is_required=True),
            Column("contacts_from", count, default="0"),
            Column("contacts_to", whole_number),
            Column("contacts_per", one_of("week", "month"), default="week"),
            Column("channels", activity_types),
        ),
        key=("intent",),
    ),
    Table(
        "intent_rules",
        (
            Column("rule_position", whole_number, is_required=True),
            Column("funnel_id", text, is_required=True),
            Column("attribute", text),
            Column("stage_id", text),
            Column("match_type", one_of("equals", "prefix", "regex"), default="equals"),
            Column("match_value", text),
            Column("intent", text, is_required=True),
        ),
        key=("rule_position",),
    ),
    Table(
        "owner_health_rules",
        (
            Column("rule_name", one_of(*HEALTH_RULES), is_required=True),
            Column("funnel_id", text, default_in_words="all funnels of opportunities"),
            Column("at_least", count),
            Column("at_most", count),
            Column("cases_at_least", whole_number),
            Column("within_hours", whole_number),
            Column("activity_types", activity_types, default_in_words="meeting;visit"),
            Column("period_grain", one_of("month", "quarter", "year"), default_in_words="month"),
            Column("meaning", text),
        ),
    ),
    Table(
        "worklist_settings",
        (
            Column("funnel_id", text, is_required=True),
            Column("manager_amount", amount),
        ),
        key=("funnel_id",),
    ),
    Table(
        "funnel_plan_targets",
        (
            *PERIOD_OF_A_FUNNEL,
            Column("band_name", text),
            Column("target_wins", target_count),
            Column("target_amount", amount),
        ),
        key=("funnel_id", "period_grain", "period_date", "band_name"),
    ),
    Table(
        "stage_targets",
        (
            *PERIOD_OF_A_FUNNEL,
            Column("stage_id", text, is_required=True),
            Column("team", text),
            Column("owner_id", text),
            Column("target_deals", target_count),
            Column("target_amount", amount),
            Column("target_step_rate", number(0, 1)),
        ),
        key=("funnel_id", "period_grain", "period_date", "stage_id", "team", "owner_id"),
    ),
    Table(
        "what_if_steps",
        (
            Column("funnel_id", text, is_required=True),
            Column("lever", one_of("step_rate", "cycle_time", "entries"), is_required=True),
            Column("unit", one_of("points", "percent"), is_required=True),
            Column("step", change, is_required=True),
        ),
        key=("funnel_id", "lever", "unit", "step"),
    ),
    Table(
        "activity_channels",
        (
            Column("activity_type", text, is_required=True),
            Column("channel", text, is_required=True),
        ),
        key=("activity_type",),
    ),
    Table(
        "attribution_settings",
        (
            Column("attribution_id", text, is_required=True),
            Column("funnel_id", text, is_required=True),
            Column("lookback_days", days, default="30"),
            Column("half_life_days", number(0, 36_525, above=True), default="7"),
            Column("touches_of", one_of("person", "account"), default="person"),
        ),
        key=("attribution_id",),
    ),
    Table(
        "channel_costs",
        (
            Column("channel", text, is_required=True),
            Column("period_date", calendar_day, is_required=True),
            Column("cost", cost, is_required=True),
            Column("currency", currency, default_in_words="the reporting currency"),
        ),
        key=("channel", "period_date"),
    ),
    Table(
        "acquisition_settings",
        (
            Column("funnel_id", text, is_required=True),
            Column("referrer_property", text),
        ),
        key=("funnel_id",),
    ),
    Table(
        "customer_order_statuses",
        (Column("order_status", text, is_required=True),),
        key=("order_status",),
    ),
    Table(
        "rfm_cuts",
        (
            Column("measure", one_of(*RFM_MEASURES), is_required=True),
            Column("score", one_of("2", "3", "4", "5"), is_required=True),
            Column("bound", amount, is_required=True),
        ),
        key=("measure", "score"),
    ),
    Table(
        "rfm_segments",
        (
            Column("rfm_segment", text, is_required=True),
            *(
                Column(f"{measure}_{end}", one_of(*RFM_SCORES), default=default)
                for measure in RFM_MEASURES
                for end, default in (("from", RFM_SCORES[0]), ("to", RFM_SCORES[-1]))
            ),
        ),
    ),
    Table(
        "qualification_rules",
        (
            Column("rule_position", whole_number, is_required=True),
            Column("funnel_id", text, is_required=True),
            Column("dimension", one_of("money", "authority", "need"), is_required=True),
            Column("attribute", text, is_required=True),
            Column("match_type", one_of("equals", "prefix", "regex"), default="equals"),
            Column("match_value", text, is_required=True),
            Column("finding", one_of("present", "absent"), default="present"),
        ),
        key=("rule_position",),
    ),
    Table(
        "priority_settings",
        (
            Column("funnel_id", text, is_required=True),
            Column("large_from", amount, is_required=True),
            Column("soon_within_days", days, is_required=True),
        ),
        key=("funnel_id",),
    ),
    Table(
        "watched_metrics",
        (
            Column("funnel_id", text, is_required=True),
            Column("metric", one_of("entries", *METRICS_OF_STAGES), is_required=True),
            Column("stage_id", text, default_in_words="every stage but the first"),
            Column("segment_name", text, default="all"),
            Column(
                "period_grain",
                one_of(
                    *("day", "week", "month", "quarter", "year"),
                    *("rolling_1", "rolling_7", "rolling_30"),
                ),
                is_required=True,
            ),
            Column(
                "compared_with", one_of("baseline", "last_year", "benchmark"), default="baseline"
            ),
            Column("direction", one_of("fall", "rise", "both"), default="both"),
            Column("change", number(0, above=True), is_required=True),
            Column("unit", one_of("percent", "points"), is_required=True),
            Column("min_cases", whole_number, default="30"),
        ),
        key=("funnel_id", "metric", "stage_id", "segment_name", "period_grain", "compared_with"),
    ),
    Table(
        "benchmarks",
        (
            Column("funnel_id", text, is_required=True),
            Column("rate_name", one_of("step_rate", "overall_rate"), is_required=True),
            Column("stage_id", text, is_required=True),
            Column("benchmark_rate", share, is_required=True),
            Column("benchmark_name", text, is_required=True),
        ),
        key=("funnel_id", "rate_name", "stage_id"),
    ),
    Table(
        "experiments",
        (
            Column("experiment_id", text, is_required=True),
            Column("funnel_id", text, is_required=True),
            Column(
                "segment_name", text, default_in_words="the variants of experiment_assignments.csv"
            ),
            Column("stage_id", text, is_required=True),
            Column("started_on", calendar_day, is_required=True),
            Column("ended_on", calendar_day, is_required=True),
            Column("planned_subjects", whole_number, is_required=True),
            Column("alpha", share, default="0.05"),
        ),
        key=("experiment_id",),
    ),
    Table(
        "experiment_variants",
        (
            Column("experiment_id", text, is_required=True),
            Column("variant", text, is_required=True),
            Column("is_control", boolean, default="false"),
            Column("planned_share", share, is_required=True),
        ),
        key=("experiment_id", "variant"),
    ),
    Table(
        "experiment_assignments",
        (
            Column("experiment_id", text, is_required=True),
            Column("subject_id", text, is_required=True),
            Column("variant", text, is_required=True),
        ),
        key=("experiment_id", "subject_id"),
    ),
    Table(
        "changes",
        (
            Column("change_name", text, is_required=True),
            Column("funnel_id", text, is_required=True),
            Column("changed_on", calendar_day, is_required=True),
            Column("days_compared", days, default="28"),
        ),
        key=("change_name", "funnel_id"),
    ),
    Table(
        "key_account_rules",
        (
            Column("rule_name", text, is_required=True),
            Column("criterion", one_of("value", "potential", "attribute"), is_required=True),
            Column("at_least", amount),
            Column("attribute", text),
            Column("match_type", one_of("equals", "prefix", "regex"), default="equals"),
            Column("match_value", text),
        ),
        key=("rule_name", "criterion", "attribute"),
    ),
    Table(
        "lead_score_features",
        (
            Column("funnel_id", text, is_required=True),
            Column("feature_type", one_of("attribute", "segment", "sessions"), is_required=True),
            Column("feature_name", text, is_required=True),
            Column("is_fixed", boolean, default="false"),
        ),
        key=("funnel_id", "feature_name"),
    ),
)

# Compared with the data as they are; in all other columns blanks around the text are dropped.
VERBATIM_COLUMNS = frozenset({"match_value", "property_value"})
