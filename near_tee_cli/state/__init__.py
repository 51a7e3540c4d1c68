"""The state of a shard: a 16-ary Merkle-Patricia trie over byte keys, and the layers of changes above it.

`Trie` reads and edits under one root and never asks where nodes come from; a `NodeStore` serves them by hash.
`Recorder` keeps what a transition read, `WitnessStore` serves nothing but that, `Overlay` holds the changes
of a chunk until they become a new root.
"""
