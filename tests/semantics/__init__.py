"""The casebook: the rules of the semantics in cases worked by hand, and held against oracles."""
