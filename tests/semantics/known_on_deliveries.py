"""Random deliveries of three nights, drawn from a fixed seed: late, repeated, corrected, deleted.

A night delivers files with the date of the day before in their paths, whole extracts without a date
that replace those of the night before, and corrections of earlier files. Event rows may say when
they were received, which is before their night.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

NIGHTS = (date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12))
TIMEZONE = "Europe/Berlin"

SEEDS = {
    "sources.csv": "source,timezone,order_precedence\nweb,America/New_York,1\ncrm,UTC,2\n",
    "funnels.csv": (
        "funnel_id,subject_type,order_mode,window_hours,count_by,entry_policy\n"
        "shop,user,ordered,48,subject,best\n"
        "trips,user,ordered,24,journey,first\n"
        "anyhow,user,any,48,subject,best\n"
        "deals,opportunity,furthest,,subject,first\n"
    ),
    "funnel_stages.csv": "funnel_id,stage_position,stage_id,stage_kind\n"
    + "".join(
        f"{funnel},1,visit,open\n{funnel},2,cart,open\n{funnel},3,paid,won\n"
        for funnel in ("shop", "trips", "anyhow")
    )
    + "deals,1,new,open\ndeals,2,offer,open\ndeals,3,won,won\ndeals,,lost,lost\n",
    "stage_rules.csv": "funnel_id,stage_id,rule_type,match_value\n"
    + "".join(
        f"{funnel},{stage},event,{stage}\n"
        for funnel in ("shop", "trips", "anyhow")
        for stage in ("visit", "cart", "paid")
    )
    + "shop,paid,purchase,completed\n"
    + "".join(
        f"deals,{stage},opportunity_stage,{stage}\n" for stage in ("new", "offer", "won", "lost")
    ),
    "segments.csv": "segment_name,subject_type,attribute\n"
    "channel,user,channel\nregion,opportunity,region\n",
}


def write_seeds(folder: Path, known_on: Sequence[date] = ()) -> None:
    """Write the declarations, with these dates as those to be kept."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{day}\n" for day in known_on]
    for name, text in {**SEEDS, "known_on_dates.csv": "".join(["known_on\n", *lines])}.items():
        (folder / name).write_text(text, encoding="utf-8")


class Deliveries:
    """A landing that grows from night to night."""

    def __init__(self, landing: Path, seed: int) -> None:
        self._landing = landing
        self._random = np.random.default_rng(seed)
        self._deals = {f"d{number:02}": "new" for number in range(30)}
        # Another seed, so that orders leave all else as it is.
        self._random_of_orders = np.random.default_rng(seed + 1)
        self._orders: dict[date, list[dict[str, str]]] = {}

    def deliver(self, night: date) -> None:
        """Put into the landing what the night of this date finds there."""
        day = night - timedelta(days=1)
        self._write(f"web/events/{day}.csv", self._events(day, received=False))
        self._write(f"web/events/received_{day}.csv", self._events(day, received=True))
        self._write("web/events/kiosk.csv", self._events(day, received=False))
        self._write("crm/records/deals.csv", self._records(night))
        self._write(f"crm/stage_changes/{day}.csv", self._changes(day))
        self._orders[day] = self._orders_of(day)
        self._write(f"web/orders/{day}.csv", self._sold(day))
        self._write("crm/orders/orders.csv", self._booked())
        if night == NIGHTS[1]:
            self._correct(f"web/events/{NIGHTS[0] - timedelta(days=1)}.csv")
            # The same content once more, under a path that comes before the first.
            first = self._landing / f"web/events/received_{NIGHTS[0] - timedelta(days=1)}.csv"
            (first.parent / f"again_{day}.csv").write_bytes(first.read_bytes())
        if night == NIGHTS[2]:
            self._correct(f"crm/stage_changes/{NIGHTS[1] - timedelta(days=1)}.csv")

    def _events(self, day: date, received: bool) -> list[dict[str, str]]:
        rows = []
        begins = datetime(day.year, day.month, day.day)
        for _ in range(60):
            # One in four is of one of the two days before.
            late = int(self._random.choice([0, 0, 0, 24, 48]))
            # From six in the evening on it is the next day in the reporting time zone.
            seconds = int(self._random.integers(0, 17 * 3600))
            occurred = begins + timedelta(seconds=seconds) - timedelta(hours=late)
            row = {
                "occurred_at": occurred.isoformat(),
                "event_name": str(self._random.choice(["visit", "cart", "paid", "other"])),
                "user_id": f"u{int(self._random.integers(0, 40)):02}",
                "properties": json.dumps({"channel": str(self._random.choice(["ads", "mail"]))}),
            }
            if received:
                row["received_at"] = (begins + timedelta(seconds=seconds, minutes=5)).isoformat()
            rows.append(row)
        rows.append({**rows[0], "occurred_at": "2026-02-30T00:00:00"})
        return rows

    def _records(self, night: date) -> list[dict[str, str]]:
        """The whole extract: deals move, two are deleted from the second night on."""
        rows = []
        for number, (deal, stage) in enumerate(self._deals.items()):
            if night != NIGHTS[0] and self._random.random() < 0.4:
                stage = str(self._random.choice(["offer", "won", "lost"]))
                self._deals[deal] = stage
            is_closed = stage in ("won", "lost")
            rows.append(
                {
                    "record_id": deal,
                    "stage": stage,
                    "region": str(self._random.choice(["north", "south"])),
                    "created_at": f"2026-03-0{1 + number % 8}T08:00:00Z",
                    "closed_at": f"{night - timedelta(days=1)}T09:00:00Z" if is_closed else "",
                    "is_deleted": str(number < 2 and night != NIGHTS[0]).lower(),
                    "updated_at": f"{night - timedelta(days=1)}T10:00:00Z" if number % 2 else "",
                }
            )
        return rows

    def _changes(self, day: date) -> list[dict[str, str]]:
        hours = self._random.integers(0, 22, size=8)
        return [
            {
                "record_id": f"d{20 + int(number):02}",
                "stage": str(self._random.choice(["new", "offer", "won", "lost"])),
                "changed_at": f"{day}T{int(hour):02}:00:00Z",
            }
            for number, hour in enumerate(hours)
        ]

    def _orders_of(self, day: date) -> list[dict[str, str]]:
        random = self._random_of_orders
        return [
            {
                "order_id": f"{day}-{number:02}",
                "user_id": f"u{int(random.integers(0, 40)):02}",
                "ordered_at": f"{day}T{int(random.integers(0, 20)):02}:30:00Z",
                "amount": str(int(random.integers(10, 100))),
                "status": str(random.choice(["completed", "cancelled"])),
            }
            for number in range(30)
        ]

    def _sold(self, day: date) -> list[dict[str, str]]:
        """What the shop delivers of a day: every third order comes a day late."""
        before = self._orders.get(day - timedelta(days=1), [])
        return [*self._orders[day][::3], *self._orders[day][1::3], *before[2::3]]

    def _booked(self) -> list[dict[str, str]]:
        """What the CRM has of all days: every order two hours later, and none of them cancelled."""
        return [
            {
                **order,
                "order_id": f"C-{order['order_id']}",
                "order_number": order["order_id"],
                "ordered_at": f"{datetime.fromisoformat(order['ordered_at']) + timedelta(hours=2)}",
                "status": "completed",
            }
            for orders in self._orders.values()
            for order in orders
        ]

    def _correct(self, file: str) -> None:
        """Deliver an earlier file again, without its first ten rows."""
        path = self._landing / file
        header, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join([header, *lines[10 if len(lines) > 10 else 2 :]]), "utf-8")

    def _write(self, file: str, rows: Sequence[Mapping[str, str]]) -> None:
        path = self._landing / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(text.getvalue(), encoding="utf-8")
