"""The pages under docs/ that promise something, held to it."""
