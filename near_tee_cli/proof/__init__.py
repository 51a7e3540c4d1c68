"""Proof bundles: what is claimed, the one file it travels in, how it is made and how it is checked.

Works on bytes; files belong to `workspace`.
"""
