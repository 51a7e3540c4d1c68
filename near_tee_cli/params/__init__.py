"""What changes with the protocol version: parameters as data, features by name."""
