"""The semantics of funnels once more: in plain Python, slow, by brute force, and on purpose.

Here every possible chain is written down and looked at, one subject at a time. Nothing of the
warehouse is imported, so that an agreement of the two means something. Nothing here is fast
enough for more than a few dozen rows a subject.

`declared` holds what a user declares, `entries` what happened and which stages that entered,
`journeys` how far each journey got and how it ended, `visits` the stays and the steps between them,
`segments` the values that they are broken down by.
"""
