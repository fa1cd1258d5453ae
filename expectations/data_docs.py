"""The last validation result of a layer as a page of data docs.

Great Expectations renders the content; the frame around it is our own, because its own one fetches
styles and scripts from a dozen addresses when it is looked at, and a page about the state of a
warehouse must open where there is no network and tell nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent / "pages"


def layer_page(layer: str, run_id: str, validation: Mapping[str, Any]) -> str:
    """The page of a layer as HTML.

    Args:
        layer: the name of the layer.
        run_id: the run that the result is of.
        validation: what `engine.SuiteRun.validation` held.
    """
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        expectationSuiteValidationResultSchema,
    )
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    loaded: Any = expectationSuiteValidationResultSchema.load(dict(validation))
    if not isinstance(loaded, ExpectationSuiteValidationResult):
        loaded = ExpectationSuiteValidationResult(**loaded)
    content: Any = ValidationResultsPageRenderer().render(loaded)
    # The first section is an overview with links to pages that only its own site has.
    content.sections = content.sections[1:]
    view: Any = DefaultJinjaPageView(custom_views_directory=str(PAGES))
    page: str = view.render(
        content,
        template="layer.html",
        layer=layer,
        run_id=run_id,
        run_time=validation["meta"]["run_id"]["run_time"][:19].replace("T", " "),
        statistics=validation["statistics"],
    )
    return page
