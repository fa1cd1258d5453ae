"""The report: a static site in every release that shows its marts, from disk and without a network.

`scope` decides how much of the marts is shown, `funnels`, `pipelines` and `quality` ask for it,
`scripts` writes it as files that a page can load, `pages` makes the pages, and `writing` puts all
of it into the release; `opening` finds it again. What the pages draw is in `assets/`, plain
JavaScript around Plotly.
"""
