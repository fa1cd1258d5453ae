"""The assets of the warehouse, one module a stage of the night: raw, layers, gates, release."""
