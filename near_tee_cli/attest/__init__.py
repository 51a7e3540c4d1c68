"""Keys, envelopes and evidence over bytes: who vouches for a claim, and where their key lives.

Knows nothing of execution: what is signed comes in as bytes or as plain values, and goes out the same way.
"""
