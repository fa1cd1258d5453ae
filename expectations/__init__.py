"""Great Expectations suites: what must be true of a whole delivery, one module a layer.

What must be true of each row (keys, references, accepted values, balance) are dbt tests. What
becomes of a result (history, acceptance, stopping the night) is in `orchestration.gates`.
"""
