"""The file `*.ntc`: several bundles in one, with the nodes and contracts that they share.

Consecutive bundles have most of their contracts and many nodes in common. Here each stands once, and a bundle names
its own by position. Unpacking gives every bundle back byte for byte. The file has one encoding of its content.
"""

from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, UnsupportedError
from near_tee_cli.primitives.schema.wire import blob, read_blob, read_hash, read_u16, read_u32, u16, u32, vector, whole
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
MAX_POSITIONS = 1 << 22
"""Positions that all bundles name together."""

_HEAD = len(MAGIC) + 2


class _Packed(NamedTuple):
    """A bundle without its nodes and contracts: the bytes before and behind them, and where they stand."""

    head: bytes
    nodes: tuple[int, ...]
    codes: tuple[tuple[bytes, int], ...]
    """Hash of each contract, and 0 for one that is only named, else its position and 1."""
    tail: bytes


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
    if len(data) > MAX_CHAIN_BYTES:
        raise BadInputError(
            f"{len(data)} bytes do not fit one chain file, at most {MAX_CHAIN_BYTES} do", code="chain-too-large"
        )
    return data


def _packed(data: bytes, bundle: Bundle, nodes: dict[bytes, int], codes: dict[bytes, int]) -> _Packed:
    content = bundle.content
    tail = encode_attachments(bundle.attachments)
    middle = encode_nodes(content.nodes) + encode_codes(content.codes)
    return _Packed(
        data[: len(data) - len(middle) - len(tail)],
        tuple(nodes[node] for node in content.nodes),
        tuple((code.hash, 0 if code.code is None else 1 + codes[code.code]) for code in content.codes),
        tail,
    )


def _encode_packed(packed: _Packed) -> bytes:
    codes = vector(code_hash + u32(place) for code_hash, place in packed.codes)
    return blob(packed.head) + vector(map(u32, packed.nodes)) + codes + blob(packed.tail)


def unpack(data: bytes) -> list[bytes]:
    """The bundles in a chain file, in their order, byte for byte.

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
        again = pack(bundles)
    except UnsupportedError as error:
        raise BadInputError(f"chain file: {error.message}", code="malformed-chain") from error
    except BadInputError as error:
        raise BadInputError(error.message, code="malformed-chain", where=error.where) from error
    if again != data:
        raise BadInputError("chain file: not in the one encoding of its content", code="malformed-chain")
    return bundles


def _read(data: bytes, at: int) -> tuple[list[bytes], int]:
    _, at = read_u16(data, at + len(MAGIC))
    nodes, at = Budget(MAX_SHARED).read_list(data, at, _read_node, least=4)
    codes, at = Budget(MAX_SHARED_CODES).read_list(data, at, _read_code, least=4)
    count, at = Budget(MAX_BUNDLES).count(data, at, least=12)
    positions = Budget(MAX_POSITIONS)
    size = 0
    bundles = []
    for _ in range(count):
        head, at = read_blob(data, at)
        own, at = positions.read_list(data, at, read_u32, least=4)
        named, at = positions.read_list(data, at, _read_named_code, least=36)
        tail, at = read_blob(data, at)
        own_nodes = [_at(nodes, place) for place in own]
        own_codes = tuple(Code(code_hash, _at(codes, place - 1) if place else None) for code_hash, place in named)
        bundles.append(head + encode_nodes(tuple(own_nodes)) + encode_codes(own_codes) + tail)
        size += len(bundles[-1])
        if size > MAX_UNPACKED_BYTES:
            raise BadInputError(f"a chain file that unpacks to more than {MAX_UNPACKED_BYTES} bytes")
    return bundles, at


def _read_named_code(data: bytes, at: int) -> tuple[tuple[bytes, int], int]:
    code_hash, at = read_hash(data, at)
    place, at = read_u32(data, at)
    return (code_hash, place), at


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
