"""The pages of the report, made of its templates. Whatever comes from data is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).parent / "templates"
PAGES = ("index.html", "funnels.html", "pipeline.html", "quality.html")


def pages(content: Mapping[str, Any]) -> dict[str, str]:
    """Each page's name and text.

    Args:
        content: what all templates can name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(count=count, percent=percent, change=change)
    return {page: environment.get_template(page).render(content, page=page) for page in PAGES}


def count(number: int | None) -> str:
    """A count with its thousands apart; a dash where it is not known."""
    return "–" if number is None else f"{number:,}"


def percent(share: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def change(number: int | None) -> str:
    """A difference with its sign."""
    return "–" if number is None else "±0" if number == 0 else f"{number:+,}".replace("-", "−")
