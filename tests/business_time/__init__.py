"""Business time between two instants, against implementations that know nothing of the models."""
