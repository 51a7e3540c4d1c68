"""near-tee: execute NEAR contracts outside the chain exactly as the chain would, and prove it."""

__version__ = "0.1.0"
