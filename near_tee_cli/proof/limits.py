"""Every cap of the bundle format. What exceeds one is refused before it is built up in memory.

The sizes follow what a chunk's state witness may hold on chain; `docs/bundle-format.md` repeats the numbers, and a
test compares both.
"""

MAX_BUNDLE_BYTES = 64 * 1024 * 1024
"""Bytes of a whole file."""

MAX_NODES = 65_536
"""Trie nodes and values; their positions fit sixteen bits."""

MAX_NODE_BYTES = 4 * 1024 * 1024 + 64 * 1024
"""Bytes of one node or value: a value of 4 MiB, and room for what a stored receipt adds."""

MAX_TRIE_NODE_BYTES = 8 * 1024
"""Bytes of what is read as a trie node: a leaf holds the longest key."""

MAX_KEY_NIBBLES = 2 * (2_048 + 128)
"""Nibbles of a trie key: a contract's longest key behind the longest account id."""

MAX_CODES = 1_024
"""Contracts."""

MAX_CODE_BYTES = 4 * 1024 * 1024
"""Bytes of one contract."""

MAX_TRANSITIONS = 4_096
"""Blocks in one bundle."""

MAX_ITEMS = 1_048_576
"""Items of all lists of all transitions together."""

MAX_VALIDATORS = 4_096
"""Validators with their stakes."""

MAX_TEXT_BYTES = 64
"""Bytes of a network name; account ids have as many."""

MAX_METHOD_NAME_BYTES = 256
"""Bytes of a method name that stands in the claim itself."""

MAX_SIGNATURES = 256
"""Signatures of all envelopes of a bundle together, and as many compact ones."""

MAX_MEMORY_USAGE = 2**60
"""Memory usage that a trie node may state: more cannot exist, and sums of it stay within u64."""

DEFAULT_MAX_GAS = 10 * 10**15
"""Gas that re-execution spends at most unless told otherwise: 10 Pgas."""

MIN_GAS_OF_INPUT = 10**11
"""Gas that no transaction or receipt stays below: what an input is taken for before anything is executed."""
