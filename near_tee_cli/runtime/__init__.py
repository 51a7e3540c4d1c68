"""The transition: one block's transactions and receipts applied to one shard's state.

`apply` is the whole of it; `world` carries a state from block to block. Everything here works on an overlay and
cannot tell a full state from a witness.
"""
