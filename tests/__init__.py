"""What must hold of the warehouse, mirrored to what it tests; dbt's own data tests lie here too."""
