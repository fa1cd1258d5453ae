"""BI tools that are clients of a release, where this machine has them."""
