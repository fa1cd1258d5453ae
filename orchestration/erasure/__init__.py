"""Forgets a person: finds what is theirs, and removes it from deliveries, state and releases."""
