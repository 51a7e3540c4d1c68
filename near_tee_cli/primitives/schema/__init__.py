"""The records of NEAR: accounts, keys, actions, transactions, receipts, outcomes.

Each module holds the records of one noun with their Borsh codec in straight-line `struct` code; `views` and
`records` hold the JSON forms. Records are immutable tuples: compare their encodings, as two records of different
kinds with equal fields are equal tuples.
"""
