"""What must hold of loading, gates, publishing and their order."""
