"""What is measured: speed and memory at sizes that tests do not reach. Nothing here is a test."""
