"""Curve arithmetic on raw bytes: what the signature and pairing host functions compute, and no charge of theirs.

Every function takes and returns `bytes`, `bool` or `None` for input that names no group element.
"""
