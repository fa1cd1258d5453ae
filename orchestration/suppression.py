"""Who was forgotten, as keyed hashes, and how rows are known to be about them.

Nothing here can be turned back into an address or an id without the secret. One rule decides what
is about a person, for what is delivered as for what is to be removed: a declared column (`person`
in the sources files) holds one of their ids, or any column one of their addresses or its hash.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import duckdb

from orchestration.extracts import GENERIC, PERSON_KINDS, Extract
from orchestration.hash_key import email_hash, keyed_hash, read_key, sql_hash, variables
from orchestration.releases import sync
from orchestration.settings import Settings
from orchestration.values import literal, quoted

# Kinds of keys that the warehouse leads by the name of their source, unless that is `generic`.
KEYS_OF_A_SOURCE = ("contact_id", "record_id")
# Typographic quotes and the blank that does not break, which stand in no address.
_APART = "\u00a0\u00ab\u00bb\u2018\u201c\u201d\u201e\u2039\u203a"
# What an address ends with. These patterns are for texts in small letters, for RE2 and for Python.
_NO_DOMAIN = rf"\s{_APART}{chr(0x2019)}\"'<>(){{}}\[\],;:=|/\\?&@"
_DOMAIN = rf"@[^{_NO_DOMAIN}]*[^{_NO_DOMAIN}.]"
# An address within a text; what is quoted before it is none of its own: o'brien@, but not 'ann@.
ADDRESS = rf"(?:[a-z{chr(0x80)}-{chr(0x10FFFF)}]'|[^\s{_APART}\"'<>(){{}}\[\],;:=|/\\?&])+{_DOMAIN}"
ADDRESS_OR_HASH = rf"{ADDRESS}|[0-9a-f]{{32,128}}"
# What may be an address as a whole: more signs are legal in one than can be told apart in a text.
_TOKEN = rf"[^\s{_APART}\",;:<>()\[\]\\]+"
_WHOLE_ADDRESS = rf"[^\s{_APART}\"',;:<>()\[\]\\@][^\s{_APART}\",;:<>()\[\]\\@]*{_DOMAIN}"
# How Python writes bytes, b'ann@…', which many an export holds by mistake.
_BYTES = r"\bb'"
# A path, or parameters such as email=ann@…, which would be an address by their signs alone.
_PARAMETERS = r"^[/?]|[?&]|^[\w-]{2,}="
# What no text without any holds; it may be escaped by `%` or, in JSON, by `\`.
_MAY_NAME = r"@|%40|\\u0040|[0-9A-Fa-f]{32}"
# What may be an id in a text of which the columns are not known.
WORD = r"[^\s\"'<>(){}\[\],;|]+"
# Shorter ids are found everywhere and mean nothing.
LEAST_CHARACTERS = 6
# Behind the hashes, so that another secret is found out.
CHECK = "the secret of this list"
# The line with which somebody says that a list is meant as it is, though it was longer.
COMPLETE = "complete"


class SuppressionError(RuntimeError):
    """The list of those who were forgotten cannot be used. The message says what to do."""


def staged_id(kind: str, value: str, source: str) -> str:
    """A delivered id as the warehouse has it."""
    is_led = kind in KEYS_OF_A_SOURCE and source != GENERIC
    return f"{source}:{value.strip()}" if is_led else value.strip()


@dataclass(frozen=True)
class Suppression:
    """Keyed hashes of ids (`<kind>:<id>`) and addresses (as staging has them)."""

    key: bytes
    hashes: frozenset[str]

    def __bool__(self) -> bool:
        """Whether anybody was forgotten."""
        return bool(self.hashes)

    def of(
        self, identifiers: Iterable[tuple[str, str]], email_hashes: Iterable[str]
    ) -> Suppression:
        """The list of these alone."""
        hashes = {keyed_hash(self.key, f"{kind}:{value}") for kind, value in identifiers}
        return Suppression(self.key, frozenset(hashes | set(email_hashes)))

    def tell(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection answer the conditions below."""
        connection.execute(variables(self.key))
        connection.execute("create or replace temp table suppressed (hash varchar)")
        hashes = sorted(self.hashes)
        connection.execute("insert into suppressed select unnest(cast(? as varchar[]))", [hashes])
        connection.execute("set variable suppressed = (select list(hash) from suppressed)")
        connection.execute(_ADDRESSES_IN)

    def is_about(self, extract: Extract, source: str, delivered: Sequence[str]) -> str:
        """SQL: whether a row of these columns is about one of them."""
        conditions = [
            _holds_id(quoted(column.name), kind, source)
            for column in extract.columns
            if column.name in delivered
            for kind in column.person
        ]
        names = self.names(*(quoted(name) for name in delivered))
        return f"({' or '.join([*conditions, names])})"

    def is_text_about(self, text: str, source: str) -> str:
        """SQL: whether a text of which the columns are not known names one of them.

        By an address or its hash, or by an id that cannot be a number of something else.
        """
        words = (
            f"list_filter(regexp_extract_all({text}, {literal(WORD)}), "
            f"lambda word: length(word) >= {LEAST_CHARACTERS})"
        )
        ids = " or ".join(
            _any_hash(words, _hash_of_id("word", kind, source)) for kind in PERSON_KINDS
        )
        return f"(coalesce({ids}, false) or {self.names(text)})"

    def names(self, *cells: str) -> str:
        """SQL: whether one of these texts holds one of their addresses, or its plain hash."""
        listed = ", ".join(cells)
        words = f"flatten(list_transform([{listed}], lambda cell: addresses_in(cell)))"
        # Most texts hold neither, and to look for one character is cheap.
        return (
            f"coalesce(case when regexp_matches(concat_ws(chr(10), {listed}), "
            f"{literal(_MAY_NAME)}) then {_any_hash(words, sql_email_hash('word'))} end, false)"
        )

    def has(self, kind: str, value: str, source: str) -> bool:
        """Whether a delivered id is one of theirs."""
        return keyed_hash(self.key, f"{kind}:{staged_id(kind, value, source)}") in self.hashes

    def named_in(self, *cells: str) -> list[str]:
        """Their addresses, and plain hashes of these, that texts hold, in small letters."""
        words = [word for cell in cells for word in addresses_in(cell)]
        return [word for word in dict.fromkeys(words) if self._is_address(word)]

    def is_text_about_them(self, text: str, source: str) -> bool:
        """As `is_text_about`, of a text that is at hand."""
        return bool(self.named_in(text)) or self.may_hold_id(text, source, LEAST_CHARACTERS)

    def may_hold_id(self, text: str, source: str, least_characters: int = 1) -> bool:
        """Whether a word of a text would be one of their ids in the right column."""
        return any(
            self.has(kind, word, source)
            for word in re.findall(WORD, text)
            if len(word) >= least_characters
            for kind in PERSON_KINDS
        )

    def _is_address(self, word: str) -> bool:
        hashed = email_hash(self.key, word) if "@" in word else keyed_hash(self.key, word)
        return hashed in self.hashes


def addresses_in(cell: str) -> list[str]:
    """What may be an address, or the plain hash of one, in a value, in small letters.

    First the value as it is, which may be any address; then what it holds, where it is a text. The
    macro `addresses_in` does the same in SQL.
    """
    if not re.search(_MAY_NAME, cell):
        return []
    words = [cell.strip(" ").lower()]
    text = re.sub(_BYTES, "'", _unescaped(cell).lower())
    for token in re.findall(_TOKEN, text):
        words.append(token.rstrip("."))
        if not re.fullmatch(_WHOLE_ADDRESS, words[-1]) or re.search(_PARAMETERS, words[-1]):
            words += re.findall(ADDRESS_OR_HASH, token)
    return words


def _unescaped(cell: str) -> str:
    """A text without the escapes of JSON and of URLs."""
    if "\\" in cell:
        with contextlib.suppress(ValueError):
            cell = json.dumps(json.loads(cell), ensure_ascii=False)
    # Bytes of another encoding in one parameter do not hide the next one.
    return "&".join(_percent_decoded(part) for part in cell.split("&"))


def _percent_decoded(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        return part.replace("%40", "@")


_ADDRESSES_IN = f"""
    create or replace temp macro addresses_in(cell) as
    case when regexp_matches(cell, {literal(_MAY_NAME)}) then list_concat(
        [lower(trim(cell))],
        flatten(list_transform(
            regexp_extract_all(
                regexp_replace(lower(array_to_string(
                    list_transform(
                        string_split(
                            case
                                when contains(cell, chr(92)) and json_valid(cell)
                                then cast(json(cell) as varchar)
                                else cell
                            end,
                            '&'
                        ),
                        lambda part: coalesce(try(url_decode(part)), replace(part, '%40', '@'))
                    ),
                    '&'
                )), {literal(_BYTES)}, chr(39), 'g'),
                {literal(_TOKEN)}
            ),
            lambda token: list_concat(
                [rtrim(token, '.')],
                case
                    when
                        not regexp_full_match(rtrim(token, '.'), {literal(_WHOLE_ADDRESS)})
                        or regexp_matches(rtrim(token, '.'), {literal(_PARAMETERS)})
                    then regexp_extract_all(token, {literal(ADDRESS_OR_HASH)})
                end
            )
        ))
    ) end
"""


def sql_email_hash(word: str) -> str:
    """SQL: what staging has for an address in small letters, or for a delivered hash of one."""
    return sql_hash(f"case when contains({word}, '@') then sha256({word}) else {word} end")


def read_suppression(settings: Settings) -> Suppression:
    """Who was forgotten so far.

    Raises:
        SuppressionError: the list was made with another secret.
        hash_key.HashKeyError: the secret cannot be used.
    """
    key = read_key(settings)
    found = _lines(settings)
    if found is None or set(found) == {COMPLETE}:
        return Suppression(key, frozenset())
    lines = [line for line in found if line != COMPLETE]
    if not lines or lines[0] != keyed_hash(key, CHECK):
        raise SuppressionError(
            f"{settings.suppressed}: expected the list of who was forgotten under the present "
            "secret, found that of another. Restore the secret (FUNNEL_HASH_KEY, or "
            f"{settings.hash_key_file}): without it, who was forgotten would come back with the "
            "next delivery."
        )
    return Suppression(key, frozenset(lines[1:]))


def refuse_lost(settings: Settings, suppression: Suppression, known: int) -> None:
    """Let nobody come back because a file was lost.

    Args:
        settings: where the list is.
        suppression: who is listed.
        known: how many hashes the last run found there.

    Raises:
        SuppressionError: fewer are listed, and nobody says that this is meant.
    """
    listed = len(suppression.hashes)
    if listed < known and COMPLETE not in (_lines(settings) or ()):
        raise SuppressionError(
            f"{settings.suppressed}: expected the list of who was forgotten with at least {known} "
            f"hashes, as the last night found, found {listed}. Restore it from a backup: whoever "
            "is missing comes back with the next delivery. If that is meant, or there is no "
            f"backup: echo {COMPLETE} >> {settings.suppressed}"
        )


def _lines(settings: Settings) -> list[str] | None:
    try:
        return settings.suppressed.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return None


def add_to_suppression(settings: Settings, added: Suppression) -> None:
    """Remember them for good: what is delivered about them from now on is not loaded."""
    hashes = read_suppression(settings).hashes | added.hashes
    lines = [keyed_hash(added.key, CHECK), *sorted(hashes)]
    write_secretly(settings.suppressed, "".join(f"{line}\n" for line in lines))


def write_secretly(file: Path, text: str) -> None:
    """Write a file that its user alone can read, whole or not at all."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(unfinished, file)
    sync(file.parent)


def _holds_id(column: str, kind: str, source: str) -> str:
    one = f"{_hash_of_id(f'trim({column})', kind, source)} in (select hash from suppressed)"
    # Some connectors deliver the ids of all contacts of a row as one list.
    words = f"regexp_extract_all({column}, {literal(WORD)})"
    listed = _any_hash(words, _hash_of_id("word", kind, source))
    return f"coalesce(case when {column} like '[%' then {listed} else {one} end, false)"


def _hash_of_id(value: str, kind: str, source: str) -> str:
    prefix = f"{kind}:{staged_id(kind, '', source)}"
    return sql_hash(f"({literal(prefix)} || {value})")


def _any_hash(words: str, hashed: str) -> str:
    return (
        f"list_has_any(list_transform({words}, lambda word: {hashed}), getvariable('suppressed'))"
    )
