"""Extracts that nobody on this project wrote, and what is known of them."""
