"""What must hold of segments: names of their own, and a funnel and stage to be taken at."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from orchestration.declaration_rules.common import Tables, listed
from orchestration.declaration_tables import Mistake, Row

# The row all/all is the total of every table.
RESERVED_SEGMENT_NAMES = ("all",)


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
                f"Declared are {listed(set(subject_types))}.",
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
            f"Declared are {listed(known)}.",
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


def segment_bands_part_numbers(tables: Tables) -> Iterator[Mistake]:
    """Bands are of declared segments, begin at numbers of their own, and agree on currencies.

    A segment with a band in one currency and another for any would have two for one value.
    """
    file = "segment_bands.csv"
    declared = {segment["segment_name"] for segment in tables["segments"]}
    first_at: dict[tuple[str, str, Decimal], int] = {}
    first_of: dict[str, Row] = {}
    for band in tables["segment_bands"]:
        name, currency = band["segment_name"], band["currency"]
        if name not in declared:
            yield Mistake(
                file,
                band.line,
                "segment_name",
                "a segment that segments.csv declares",
                repr(name),
                f"Declared are {listed(declared)}.",
            )
            continue
        first = first_of.setdefault(name, band)
        if bool(first["currency"]) != bool(currency):
            yield Mistake(
                file,
                band.line,
                "currency",
                "a currency in all bands of a segment or in none",
                f"{currency!r}, and {first['currency']!r} in line {first.line}",
                "Give each band its currency, or leave all empty.",
            )
            continue
        line = first_at.setdefault((name, currency, Decimal(band["at_least"])), band.line)
        if line != band.line:
            yield Mistake(
                file,
                band.line,
                "at_least",
                f"another number than that of line {line}",
                band["at_least"],
                "Each band begins where the one below it ends.",
            )


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
