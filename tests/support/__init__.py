"""What tests of several parts share: building a warehouse, and reading its tables."""
