"""One bundle that must be refused: what is wrong with it, and the answer that it must get."""

import json
from typing import NamedTuple


class Entry(NamedTuple):
    """A bundle with the answer that it must get."""

    name: str
    threats: tuple[str, ...]
    """What an attacker would be after, by the numbers of `THREATS`."""
    reason: str
    data: bytes
    check: int
    code: str
    flags: tuple[str, ...] = ()
    """Options of `verify` that ask for what the bundle does not have."""
    more: tuple[bytes, ...] = ()
    """Further bundles, for a chain."""
    files: tuple[tuple[str, bytes], ...] = ()
    """Other files that the options name."""

    def expected(self) -> str:
        """The document that stands beside the bundle."""
        document = {
            "reason": self.reason,
            "threats": list(self.threats),
            "flags": list(self.flags),
            "check": self.check,
            "code": self.code,
        }
        return json.dumps(document, indent=1) + "\n"


THREATS = {
    "B1": "names that are paths",
    "B2": "compressed files and archives",
    "B3": "other encodings, length bombs, bytes left over",
    "B4": "floods of nodes, paths without end, nodes that nothing needs",
    "B5": "doubled nodes, claimed hashes, one kind of thing taken for another",
    "B6": "absence that is not proven, shapes that no trie has",
    "B7": "signatures and keys that are not strict",
    "B8": "algorithms, types and purposes confused",
    "B9": "bytes that nothing covers",
    "B10": "components of other bundles",
    "B11": "old claims, other networks, other contracts",
    "B12": "chains put together wrongly",
    "B15": "work without end",
}
