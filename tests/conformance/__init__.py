"""Replays every recorded case of a directory; run with `make conformance`."""
