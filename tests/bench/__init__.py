"""Measurements beside nearcore's recorded times; run with `make bench`."""
