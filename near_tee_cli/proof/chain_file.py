"""The file `*.ntc`: several bundles in one, with the nodes and contracts that they share.

Consecutive bundles have most of their contracts and many nodes in common. Here each stands once, and a bundle names
its own by position. Unpacking gives every bundle back byte for byte. The file has one encoding of its content.
"""

from collections.abc import Iterator, Mapping, Sequence
from struct import pack as pack_numbers
from struct import unpack as unpack_numbers
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.schema.wire import blob, read_blob, read_u16, u16, u32, vector, whole
from near_tee_cli.proof.budget import Budget
from near_tee_cli.proof.bundle import Bundle, Code, decode_bundle, encode_attachments, encode_codes, encode_nodes
from near_tee_cli.proof.limits import MAX_BUNDLE_BYTES, MAX_CODE_BYTES, MAX_NODE_BYTES

MAGIC = b"near-ntc"
"""The first eight bytes of every chain file."""
VERSION = 1

MAX_CHAIN_BYTES = MAX_BUNDLE_BYTES
MAX_BUNDLES = 4_096
MAX_SHARED = 1 << 20
"""Nodes of a chain file."""
MAX_SHARED_CODES = 4_096
MAX_UNPACKED_BYTES = 8 * MAX_CHAIN_BYTES
"""Bytes of all bundles of a chain file."""
MAX_RATIO = 64
"""Bytes of all bundles for each byte of a chain file, where they are more than one bundle may have."""
MAX_POSITIONS = 1 << 22
"""Positions that all bundles name together."""

_HEAD = len(MAGIC) + 2


_POSITION = 4
_NAMED_CODE = 36


class _Packed(NamedTuple):
    """A bundle without its nodes and contracts: the bytes before and behind them, and where they stand.

    Positions stay bytes as in the file: there may be millions of them.
    """

    head: bytes
    nodes: bytes
    """Positions of its nodes, four bytes each."""
    codes: bytes
    """Hash of each contract, and four bytes: 0 for one that is only named, else its position and 1."""
    tail: bytes


class Bundles:
    """The bundles of a chain file, in their order, each put together when it is needed."""

    __slots__ = ("_codes", "_nodes", "_packed")

    def __init__(self, nodes: Sequence[bytes], codes: Sequence[bytes], packed: Sequence[_Packed]) -> None:
        """`nodes` and `codes` are shared; a position that is not there shows when a bundle is put together."""
        self._nodes = nodes
        self._codes = codes
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[bytes]:
        """Each bundle byte for byte. Raises `BadInputError` for a position that is not there."""
        return map(self._bundle, self._packed)

    def _bundle(self, packed: _Packed) -> bytes:
        nodes = tuple(_at(self._nodes, place) for place in _places(packed.nodes))
        codes = tuple(
            Code(code_hash, _at(self._codes, place - 1) if place else None) for code_hash, place in _named(packed.codes)
        )
        return packed.head + encode_nodes(nodes) + encode_codes(codes) + packed.tail

    def size(self) -> int:
        """Bytes of all bundles, before any is put together. Raises `BadInputError` as iterating does."""
        return sum(map(self._size, self._packed))

    def _size(self, packed: _Packed) -> int:
        nodes = sum(4 + len(_at(self._nodes, place)) for place in _places(packed.nodes))
        codes = sum(33 + (4 + len(_at(self._codes, place - 1)) if place else 0) for _, place in _named(packed.codes))
        return len(packed.head) + 4 + nodes + 4 + codes + len(packed.tail)

    def require_only_spelling(self) -> None:
        """Refuse what `pack` would spell otherwise. Raises `BadInputError`."""
        node_places = {node: place for place, node in enumerate(self._nodes)}
        code_places = {code: place for place, code in enumerate(self._codes)}
        used_nodes, used_codes = bytearray(len(self._nodes)), bytearray(len(self._codes))
        spelt = list(self._nodes) == sorted(node_places) and list(self._codes) == sorted(code_places)
        for packed, data in zip(self._packed, self, strict=True):
            spelt = spelt and _packed(data, decode_bundle(data), node_places, code_places) == packed
            for place in _places(packed.nodes):
                used_nodes[place] = 1
            for _, place in _named(packed.codes):
                if place:
                    used_codes[place - 1] = 1
        if not spelt or not all(used_nodes) or not all(used_codes):
            raise BadInputError("chain file: not in the one encoding of its content")


def _places(raw: bytes) -> tuple[int, ...]:
    return unpack_numbers(f"<{len(raw) // _POSITION}I", raw)


def _named(raw: bytes) -> Iterator[tuple[bytes, int]]:
    for at in range(0, len(raw), _NAMED_CODE):
        yield raw[at : at + 32], int.from_bytes(raw[at + 32 : at + _NAMED_CODE], "little")


def max_unpacked(size: int) -> int:
    """How many bytes the bundles of a chain file of `size` bytes may have together."""
    return min(MAX_UNPACKED_BYTES, max(MAX_BUNDLE_BYTES, MAX_RATIO * size))


def is_chain_file(data: bytes) -> bool:
    """Whether `data` says that it is a chain file, of whichever version."""
    return data.startswith(MAGIC)


def pack(bundles: Sequence[bytes]) -> bytes:
    """The chain file of `bundles`, in this order. Raises `BadInputError` for what is no bundle, none, or too much."""
    if not bundles:
        raise BadInputError("a chain file holds at least one bundle", code="empty-chain")
    decoded = [decode_bundle(data) for data in bundles]
    nodes = sorted({node for bundle in decoded for node in bundle.content.nodes})
    codes = sorted({code.code for bundle in decoded for code in bundle.content.codes if code.code is not None})
    for count, bound, what in (
        (len(decoded), MAX_BUNDLES, "bundles"),
        (len(nodes), MAX_SHARED, "nodes"),
        (len(codes), MAX_SHARED_CODES, "contracts"),
    ):
        if count > bound:
            raise BadInputError(f"{count} {what} do not fit one chain file, at most {bound} do", code="chain-too-large")
    node_places = {node: place for place, node in enumerate(nodes)}
    code_places = {code: place for place, code in enumerate(codes)}
    packed = [_packed(one, bundle, node_places, code_places) for one, bundle in zip(bundles, decoded, strict=True)]
    data = b"".join(
        (MAGIC, u16(VERSION), vector(map(blob, nodes)), vector(map(blob, codes)), vector(map(_encode_packed, packed)))
    )
    for size, most in ((len(data), MAX_CHAIN_BYTES), (sum(map(len, bundles)), max_unpacked(len(data)))):
        if size > most:
            raise BadInputError(f"{size} bytes do not fit one chain file, at most {most} do", code="chain-too-large")
    return data


def _packed(data: bytes, bundle: Bundle, nodes: Mapping[bytes, int], codes: Mapping[bytes, int]) -> _Packed:
    content = bundle.content
    tail = encode_attachments(bundle.attachments)
    middle = encode_nodes(content.nodes) + encode_codes(content.codes)
    return _Packed(
        data[: len(data) - len(middle) - len(tail)],
        pack_numbers(f"<{len(content.nodes)}I", *(nodes[node] for node in content.nodes)),
        b"".join(code.hash + u32(0 if code.code is None else 1 + codes[code.code]) for code in content.codes),
        tail,
    )


def _encode_packed(packed: _Packed) -> bytes:
    nodes = u32(len(packed.nodes) // _POSITION) + packed.nodes
    return blob(packed.head) + nodes + u32(len(packed.codes) // _NAMED_CODE) + packed.codes + blob(packed.tail)


def unpack(data: bytes) -> Bundles:
    """The bundles in a chain file, in their order, byte for byte; one at a time is put together.

    Raises `BadInputError` with code `not-a-chain`, `chain-too-large` or `malformed-chain`, and `UnsupportedError` for
    another version.
    """
    if not is_chain_file(data):
        raise BadInputError("this is no chain file: it begins with other bytes", code="not-a-chain")
    if len(data) > MAX_CHAIN_BYTES:
        size = f"a chain file of {len(data)} bytes, at most {MAX_CHAIN_BYTES} are read"
        raise BadInputError(size, code="chain-too-large")
    version = int.from_bytes(data[len(MAGIC) : _HEAD], "little")
    if len(data) >= _HEAD and version != VERSION:
        raise UnsupportedError(f"chain file version {version} is not known, only {VERSION}", what="chain-version")
    try:
        bundles = whole(data, _read, what="chain file")
        unpacked, most = bundles.size(), max_unpacked(len(data))
        if unpacked > most:
            raise BadInputError(f"{len(data)} bytes that unpack to {unpacked}, more than {most}")
        bundles.require_only_spelling()
    except UnsupportedError as error:
        raise BadInputError(f"chain file: {error.message}", code="malformed-chain") from error
    except BadInputError as error:
        raise BadInputError(error.message, code="malformed-chain", where=error.where) from error
    return bundles


def _read(data: bytes, at: int) -> tuple[Bundles, int]:
    _, at = read_u16(data, at + len(MAGIC))
    nodes, at = Budget(MAX_SHARED).read_list(data, at, _read_node, least=4)
    codes, at = Budget(MAX_SHARED_CODES).read_list(data, at, _read_code, least=4)
    positions = Budget(MAX_POSITIONS)

    def read_packed(data: bytes, at: int) -> tuple[_Packed, int]:
        head, at = read_blob(data, at)
        own, at = _read_raw(data, at, positions, width=_POSITION)
        named, at = _read_raw(data, at, positions, width=_NAMED_CODE)
        tail, at = read_blob(data, at)
        return _Packed(head, own, named, tail), at

    packed, at = Budget(MAX_BUNDLES).read_list(data, at, read_packed, least=16)
    if not packed:
        raise BadInputError("a chain file holds at least one bundle")
    return Bundles(nodes, codes, packed), at


def _read_raw(data: bytes, at: int, positions: Budget, *, width: int) -> tuple[bytes, int]:
    """A list of things of `width` bytes as it stands, and the position after it."""
    count, at = positions.count(data, at, least=width)
    end = at + count * width
    return data[at:end], end


def _at(items: Sequence[bytes], place: int) -> bytes:
    if place >= len(items):
        raise BadInputError(f"position {place} of {len(items)} is named")
    return items[place]


def _read_node(data: bytes, at: int) -> tuple[bytes, int]:
    node, at = read_blob(data, at)
    if len(node) > MAX_NODE_BYTES:
        raise BadInputError(f"a trie node or value of {len(node)} bytes, at most {MAX_NODE_BYTES} are read")
    return node, at


def _read_code(data: bytes, at: int) -> tuple[bytes, int]:
    code, at = read_blob(data, at)
    if len(code) > MAX_CODE_BYTES:
        raise BadInputError(f"a contract of {len(code)} bytes, at most {MAX_CODE_BYTES} are read")
    return code, at
