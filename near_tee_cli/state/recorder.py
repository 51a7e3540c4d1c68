"""What a transition read: the nodes and values of its storage proof, and the touches that cost gas.

Two accounts of the same reads, kept apart because they follow different rules. The `Recorder` holds every
node and value that the trie had to look at; its size bounds receipts and chunks. The `TouchCounter` counts what
contracts pay for. Both live for one chunk and are never rolled back.

Mirrors nearcore: core/store/src/trie/trie_recording.rs, runtime/runtime/src/ext.rs (AccountingState)
"""

REMOVAL_BYTES = 2000
"""What each removal of contract data adds to the upper bound: its siblings may have to be read at the end."""


class Recorder:
    """The storage proof of one chunk as it grows.

    `nodes` maps hash -> bytes in the order of first reads, `size` is their total length in bytes.
    """

    __slots__ = ("nodes", "removals", "size")

    def __init__(self) -> None:
        self.nodes: dict[bytes, bytes] = {}
        self.size = 0
        self.removals = 0

    @property
    def upper_bound_size(self) -> int:
        """Bytes that limits are compared with: what is recorded plus an allowance for each removal."""
        return self.size + REMOVAL_BYTES * self.removals

    def record(self, item_hash: bytes, data: bytes) -> None:
        """Adds a node or value; the second time changes nothing."""
        if item_hash not in self.nodes:
            self.nodes[item_hash] = data
            self.size += len(data)

    def record_removal(self) -> None:
        """Notes that a contract removed a key, whether the key was there or not."""
        self.removals += 1

    def sorted_items(self) -> list[bytes]:
        """The recorded bytes in ascending order, as a chunk producer puts them into a state witness."""
        return sorted(self.nodes.values())


class TouchCounter:
    """How often contracts touched trie nodes and values: `db` the first time a hash is met, `mem` after that."""

    __slots__ = ("db", "mem", "seen")

    def __init__(self) -> None:
        self.db = 0
        self.mem = 0
        self.seen: set[bytes] = set()

    def count(self, item_hash: bytes) -> None:
        """Counts one touch."""
        if item_hash in self.seen:
            self.mem += 1
        else:
            self.seen.add(item_hash)
            self.db += 1
