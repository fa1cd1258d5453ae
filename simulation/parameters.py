"""What is true of the simulated company: probabilities, times, effects, and how much dirt.

Probabilities are between 0 and 1, effects are added to a logit, times say their unit. The figures
are invented; where a comment says why, the reason is what they are to bring about in the tables.
How they are turned into histories belongs to `web` and `crm`, what follows from them to `truth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, Self


@dataclass(frozen=True)
class Dirt:
    """How much of what real data contains is in the extracts. Shares are of the things named."""

    # Consent that comes late costs a session its first event: a journey without its first stage.
    session_start_lost: float = 0.01
    # A whole session that reaches the collector late, as from a telephone without a network.
    late_sessions: float = 0.015
    late_median_hours: float = 20.0
    # The same event once more, with its event_id: half in the same delivery, half in the next.
    repeated_events: float = 0.004
    # The same line of a CRM extract once more.
    repeated_changes: float = 0.005
    # A stage change that the mobile CRM sends one to three days late.
    late_changes: float = 0.01
    # Somebody else signs up on the same device.
    shared_devices: float = 0.02
    # A later log-in of a user on another device.
    second_devices: float = 0.05
    # Own employees, who are to be excluded and not counted.
    staff_visitors: float = 0.004
    # Records deleted after their history has ended, whatever its outcome, so that what is left
    # over has the same rates.
    deleted_records: float = 0.015
    # Records entered twice, merged into the first a little later.
    merged_records: float = 0.02
    # E-mail addresses typed in capitals and with spaces around them.
    untidy_emails: float = 0.10
    # Events that have to be quarantined, of each of the four kinds: a date of 2999, of
    # 30 February, of 1970, no subject.
    broken_events: float = 0.0001
    # Orders whose amount has a decimal comma.
    broken_orders: float = 0.002


CLEAN = Dirt(**dict.fromkeys((item.name for item in fields(Dirt)), 0.0))


@dataclass(frozen=True)
class Process:
    """A CRM process: a Markov chain over stages, with a lognormal stay in each.

    `transitions` gives, for each stage, the probability of each next stage; what is missing to 1
    is the probability to stay there for ever, which for a closed stage is its end. Rows may skip
    stages, go back, and reopen what was closed. An effect e multiplies the odds of going from an
    open stage to the lost one by exp(-e); the other probabilities share the rest in proportion.
    """

    open_stages: tuple[str, ...]
    won_stage: str
    lost_stage: str
    # Where histories begin: not always in the first stage.
    entry: Mapping[str, float]
    transitions: Mapping[str, Mapping[str, float]]
    stay_median_hours: Mapping[str, float]
    stay_sigma: float
    # Bad news takes longer: the median stay before the lost stage is this many times as long.
    lost_stay_factor: float
    # Two changes in one instant, as automations make them.
    instant_share: float
    lost_reasons: Mapping[str, float]

    @property
    def stages(self) -> tuple[str, ...]:
        """All stages: the open ones in order, then the won and the lost one."""
        return (*self.open_stages, self.won_stage, self.lost_stage)


@dataclass(frozen=True)
class Landing:
    """A kind of page that visitors come to: how many do, usually and in the campaign.

    `looks` and `campaign_looks` are factors on the probability to look at a product. Weighted by
    `share`, those of usual days are 1.
    """

    share: float
    looks: float
    campaign_share: float
    campaign_looks: float


@dataclass(frozen=True)
class Experiment:
    """An experiment with visitors, half of whom get each variant, from its first to its last date.

    With the second variant `lift` times as many get to a depth of the web as with the first, of all
    that come; 1 is an experiment with what does nothing.
    """

    variants: tuple[str, str]
    depth: str
    lift: float
    first_day: str
    last_day: str


@dataclass(frozen=True)
class Incident:
    """Days on which one step is taken less often by those who come by one channel."""

    channel: str
    step: str
    factor: float
    first_day: str
    last_day: str


@dataclass(frozen=True)
class Planted:
    """What the tables have to find, not to find, and to call by its name."""

    # Where visitors land. In the campaign those of both kinds look at products more often, and yet
    # fewer do of all, as most come to the kind where few do: a Simpson's reversal. Both factors of
    # each kind are far enough apart to show in the three thousand visitors of a month.
    landings: Mapping[str, Landing] = field(
        default_factory=lambda: {
            "catalogue": Landing(0.60, 1.30, 0.15, 1.52),
            "magazine": Landing(0.40, 0.55, 0.85, 0.74),
        }
    )
    campaign: tuple[str, str] = ("2026-01-01", "2026-01-31")
    # By the property of events that tells the variant. They stand in the seeds as well. The eight
    # weeks have some 4,500 visitors in the demonstration: enough to find a lift of a half.
    experiments: Mapping[str, Experiment] = field(
        default_factory=lambda: {
            "price_display": Experiment(
                ("hidden", "shown"), "cart", 1.5, "2025-09-08", "2025-11-02"
            ),
            "banner": Experiment(
                ("green", "blue"), "product_view", 1.0, "2025-09-08", "2025-11-02"
            ),
        }
    )
    # The last week of the demonstration whose visitors have had their seven days.
    incident: Incident = Incident("search", "cart", 0.25, "2026-02-02", "2026-02-08")
    # Of those who sign up, who name the user that invited them, by the channel that they came by.
    # That is one of those who sent an invitation in so many days before.
    invited: Mapping[str, float] = field(
        default_factory=lambda: {
            "search": 0.03,
            "direct": 0.15,
            "paid_ads": 0.03,
            "social": 0.06,
            "referral": 0.60,
            "email": 0.03,
            "qr_code": 0.03,
        }
    )
    invitation_days: int = 60
    # How many times the odds to fill a cart are those of others, of those who searched before they
    # looked at a product. 1 is a search that goes with nothing, as in the demonstration: what is
    # planted there changes no event.
    search_odds: float = 1.0

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` gave, also once it was JSON."""
        given = dict(values)
        given["landings"] = {name: Landing(**one) for name, one in given["landings"].items()}
        given["campaign"] = tuple(given["campaign"])
        given["experiments"] = {
            name: Experiment(**(dict(one) | {"variants": tuple(one["variants"])}))
            for name, one in given["experiments"].items()
        }
        given["incident"] = Incident(**given["incident"])
        return cls(**given)


# Properties of all events of a visitor that come with what is planted, as all formats spell them.
# As in the declarations that ship with the warehouse, they are those of the default parameters.
PLANTED_PROPERTIES = ("landing", *Planted().experiments)

LEAD_PROCESS = Process(
    open_stages=("New", "Contacted", "Need confirmed", "Qualified"),
    won_stage="Converted",
    lost_stage="Unqualified",
    entry={"New": 0.95, "Contacted": 0.05},
    transitions={
        "New": {"Contacted": 0.84, "Need confirmed": 0.04, "Unqualified": 0.08},
        "Contacted": {"Need confirmed": 0.62, "Qualified": 0.05, "Unqualified": 0.28},
        "Need confirmed": {
            "Contacted": 0.04,
            "Qualified": 0.66,
            "Converted": 0.04,
            "Unqualified": 0.22,
        },
        "Qualified": {"Need confirmed": 0.05, "Converted": 0.72, "Unqualified": 0.19},
        "Unqualified": {"Contacted": 0.03},
    },
    stay_median_hours={
        "New": 6.0,
        "Contacted": 48.0,
        "Need confirmed": 72.0,
        "Qualified": 40.0,
        "Unqualified": 500.0,
    },
    stay_sigma=0.9,
    lost_stay_factor=1.5,
    instant_share=0.01,
    lost_reasons={"no need": 0.4, "no budget": 0.35, "not reached": 0.25},
)

OPPORTUNITY_PROCESS = Process(
    open_stages=("Prospecting", "Qualified", "Proposal", "Negotiation"),
    won_stage="Closed Won",
    lost_stage="Closed Lost",
    entry={"Prospecting": 0.90, "Qualified": 0.07, "Proposal": 0.03},
    # From Qualified, Proposal and Negotiation about 31, 45 and 67 in a hundred are won: not the
    # 25, 50 and 75 that the seeds declare, so that a forecast by weights has something to learn.
    transitions={
        "Prospecting": {"Qualified": 0.70, "Proposal": 0.05, "Closed Lost": 0.22},
        "Qualified": {
            "Prospecting": 0.02,
            "Proposal": 0.63,
            "Negotiation": 0.04,
            "Closed Lost": 0.28,
        },
        "Proposal": {
            "Qualified": 0.05,
            "Negotiation": 0.60,
            "Closed Won": 0.03,
            "Closed Lost": 0.29,
        },
        "Negotiation": {"Proposal": 0.06, "Closed Won": 0.62, "Closed Lost": 0.29},
        "Closed Won": {"Negotiation": 0.015},
        "Closed Lost": {"Prospecting": 0.02, "Negotiation": 0.03},
    },
    stay_median_hours={
        "Prospecting": 72.0,
        "Qualified": 168.0,
        "Proposal": 240.0,
        "Negotiation": 168.0,
        "Closed Won": 360.0,
        "Closed Lost": 480.0,
    },
    stay_sigma=0.8,
    lost_stay_factor=1.3,
    instant_share=0.01,
    lost_reasons={
        "price": 0.30,
        "competitor": 0.25,
        "budget, cut or frozen": 0.20,
        "timing": 0.15,
        "no answer": 0.10,
    },
)


@dataclass(frozen=True)
class Product:
    """A product line: how often it is asked for, what it costs, how its deals go."""

    share: float
    # US dollars.
    shop_price_median: float
    deal_amount_median: float
    # On the logit of losing a deal, with the sign turned: above 0 is better.
    deal_effect: float
    # Large purchases take longer: a factor on every stay of a deal.
    deal_stay_factor: float


@dataclass(frozen=True)
class Parameters:
    """All that is true of the company. The defaults are the company of the demonstration."""

    # --- volume ---------------------------------------------------------------------------
    # First-time visitors on a working day of an average season. Fewer, and the sellers and channels
    # of the demonstration have too few deals to be told apart; more, and its first night is longer
    # than anybody waits to see what this is.
    visitors_per_day: float = 100.0
    # Business customers rest on Saturdays and Sundays.
    weekend_factor: float = 0.45
    # Most in November, least in May.
    season_amplitude: float = 0.15
    # 24 December to 1 January.
    holiday_factor: float = 0.40
    # On working days, for each visitor of `visitors_per_day`.
    offline_leads_per_visitor: float = 0.03
    partner_deals_per_visitor: float = 0.01

    # --- who comes ------------------------------------------------------------------------
    regions: Mapping[str, float] = field(
        default_factory=lambda: {"AMER": 0.40, "EMEA": 0.38, "APAC": 0.22}
    )
    region_currencies: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {
            "AMER": {"USD": 1.0},
            "EMEA": {"EUR": 0.7, "GBP": 0.3},
            "APAC": {"CNY": 1.0},
        }
    )
    # US dollars for one unit, only to give amounts their usual size. Not the declared rates.
    currency_units: Mapping[str, float] = field(
        default_factory=lambda: {"USD": 1.0, "EUR": 1.15, "GBP": 1.33, "CNY": 0.14}
    )
    channels: Mapping[str, float] = field(
        default_factory=lambda: {
            "search": 0.36,
            "direct": 0.20,
            "paid_ads": 0.18,
            "social": 0.10,
            "referral": 0.08,
            "email": 0.05,
            "qr_code": 0.03,
        }
    )
    devices: Mapping[str, float] = field(
        default_factory=lambda: {"desktop": 0.66, "mobile": 0.28, "tablet": 0.06}
    )
    products: Mapping[str, Product] = field(
        default_factory=lambda: {
            "desks": Product(0.28, 420.0, 14_000.0, 0.10, 1.0),
            "seating": Product(0.26, 260.0, 9_000.0, 0.15, 0.9),
            "storage": Product(0.18, 180.0, 6_000.0, 0.05, 0.9),
            "lighting": Product(0.14, 90.0, 4_500.0, 0.00, 0.8),
            "meeting rooms": Product(0.09, 650.0, 38_000.0, -0.20, 1.3),
            "fit-out": Product(0.05, 900.0, 85_000.0, -0.40, 1.6),
        }
    )

    # --- the web shop -----------------------------------------------------------------------
    # Probability of each step, given the one before, before effects. A visitor gets this far in
    # one session, so the steps are those of the visitor whatever the window.
    web_steps: Mapping[str, float] = field(
        default_factory=lambda: {
            "product_view": 0.46,
            "cart": 0.30,
            "checkout": 0.60,
            "payment": 0.75,
        }
    )
    # On the logit of every web step, and of asking for a demonstration.
    channel_effects: Mapping[str, float] = field(
        default_factory=lambda: {
            "search": 0.10,
            "direct": 0.25,
            "paid_ads": -0.25,
            "social": -0.45,
            "referral": 0.30,
            "email": 0.40,
            "qr_code": -0.10,
        }
    )
    device_effects: Mapping[str, float] = field(
        default_factory=lambda: {"desktop": 0.10, "mobile": -0.30, "tablet": -0.10}
    )
    # A further session follows with this probability, after a lognormal gap.
    returning_visitor: float = 0.25
    return_gap_median_hours: float = 60.0
    return_gap_sigma: float = 1.0
    # Sessions with a search.
    search: float = 0.15
    # Those who come to the cart without looking at a product: a skipped stage.
    quick_order: float = 0.06
    # Those who look at another product with a full cart, or fill it once more: steps back.
    second_look: float = 0.10
    second_cart: float = 0.05
    # Cart and checkout in one instant.
    buy_now: float = 0.03
    # After a payment, and after each payment that follows; most gaps lie within a week.
    repurchase: float = 0.22
    further_repurchase: float = 0.40
    repurchase_gap_median_hours: float = 60.0
    repurchase_gap_sigma: float = 0.9
    shop_price_sigma: float = 0.5
    refunded_orders: float = 0.03
    refund_median_hours: float = 120.0

    # --- users ------------------------------------------------------------------------------
    # Probability to sign up by how far the visitor gets. Nobody pays without.
    sign_up: Mapping[str, float] = field(
        default_factory=lambda: {
            "visit": 0.01,
            "product_view": 0.05,
            "cart": 0.06,
            "checkout": 0.5,
            "payment": 1.0,
        }
    )
    # A single sign-on needs no verified e-mail address: a skipped optional stage.
    single_sign_on: float = 0.30
    # Given the step before. Stays are cut off so that the steps together fit into the 336 hours
    # that the seeds declare: the rates are those of the funnel, window or not.
    activation_steps: Mapping[str, float] = field(
        default_factory=lambda: {
            "email_verified": 0.86,
            "profile_completed": 0.68,
            "list_created": 0.60,
            "list_shared": 0.60,
        }
    )
    activation_stay_median_hours: Mapping[str, float] = field(
        default_factory=lambda: {
            "email_verified": 0.2,
            "profile_completed": 6.0,
            "list_created": 30.0,
            "list_shared": 36.0,
        }
    )
    activation_stay_sigma: float = 1.0
    activation_stay_longest_hours: float = 80.0
    # Of a session after the sign-up, that the user is logged in.
    logged_in: float = 0.85
    # Log-ins to the portal by those who completed their profile, one after the other.
    next_login: float = 0.65
    login_gap_median_hours: float = 90.0
    login_gap_sigma: float = 0.8
    invites: float = 0.25
    invite_median_hours: float = 200.0

    # --- leads and deals --------------------------------------------------------------------
    # Of visitors who looked at a product.
    demo_request: float = 0.06
    offline_sources: Mapping[str, float] = field(
        default_factory=lambda: {"trade_fair": 0.40, "outbound": 0.45, "telephone": 0.15}
    )
    partner_source: str = "partner"
    # On the logit of losing, with the sign turned, for leads and deals alike.
    source_effects: Mapping[str, float] = field(
        default_factory=lambda: {
            "search": 0.10,
            "direct": 0.20,
            "paid_ads": -0.20,
            "social": -0.30,
            "referral": 0.40,
            "email": 0.10,
            "qr_code": 0.00,
            "trade_fair": 0.05,
            "outbound": -0.40,
            "telephone": 0.15,
            "partner": 0.20,
        }
    )
    # On leads.
    region_effects: Mapping[str, float] = field(
        default_factory=lambda: {"AMER": 0.10, "EMEA": 0.0, "APAC": -0.15}
    )
    # On deals: the skill of each seller. The first third sells in the first region, and so on.
    owner_effects: tuple[float, ...] = (
        0.50, 0.15, 0.0, -0.35,
        0.30, 0.10, -0.10, -0.25,
        0.80, 0.0, -0.05, -0.45,
    )  # fmt: skip
    # On deals with those who already bought.
    existing_customer_effect: float = 0.60
    lead_process: Process = LEAD_PROCESS
    opportunity_process: Process = OPPORTUNITY_PROCESS
    # After the first win of a deal, that another follows with the same customer.
    further_deal: float = 0.40
    further_deal_gap_median_hours: float = 600.0
    further_deal_gap_sigma: float = 0.6
    deal_amount_sigma: float = 0.7
    # The amount is estimated at first, known with the proposal, and cut in some negotiations.
    estimate_sigma: float = 0.25
    discounts: float = 0.15
    discount_factor: float = 0.92
    owner_changes: float = 0.06
    postponed_closes: float = 0.15
    # The CRM's administrators renamed a stage: old name, new name, from this date on (UTC). It is
    # a Sunday about half-way through the demonstration, and stands in the seeds as well.
    renamed_stage: tuple[str, str] = ("Proposal", "Proposal and quote")
    renamed_on: str = "2025-11-16"

    planted: Planted = field(default_factory=Planted)
    dirt: Dirt = field(default_factory=Dirt)

    def to_json(self) -> dict[str, Any]:
        """The parameters as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The parameters that `to_json` gave. Missing ones take their default."""
        given = dict(values)
        given["owner_effects"] = tuple(given["owner_effects"])
        given["renamed_stage"] = tuple(given["renamed_stage"])
        given["products"] = {
            name: Product(**product) for name, product in given["products"].items()
        }
        for name in ("lead_process", "opportunity_process"):
            process = dict(given[name])
            process["open_stages"] = tuple(process["open_stages"])
            given[name] = Process(**process)
        if "planted" in given:
            given["planted"] = Planted.from_json(given["planted"])
        given["dirt"] = Dirt(**given["dirt"])
        return cls(**given)

    @property
    def rename_date(self) -> date:
        """The first date of the new stage name."""
        return date.fromisoformat(self.renamed_on)

    @property
    def sources(self) -> tuple[str, ...]:
        """All sources of records: the channels of the web, then the others."""
        return (*self.channels, *self.offline_sources, self.partner_source)

    @property
    def currencies(self) -> tuple[str, ...]:
        """All currencies, in the order of `currency_units`."""
        return tuple(self.currency_units)
