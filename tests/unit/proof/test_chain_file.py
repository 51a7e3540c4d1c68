"""Chain files: everything comes back byte for byte, and there is one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import borsh
from near_tee_cli.primitives.schema.wire import blob, u16, vector
from near_tee_cli.proof import chain_file, schemas
from near_tee_cli.proof.bundle import decode_bundle, encode_bundle, encode_nodes
from near_tee_cli.proof.chain_file import MAGIC, is_chain_file, pack, unpack
from tests.support.bundles import proof_of, small_proof

FILES = [
    small_proof().data,
    *(
        proof_of(name).data
        for name in (
            "runtime/promises/promises-global-bad-hash",
            "runtime/transactions/transactions-views",
            "runtime/yields/yields-resume-bad-id",
            "vm/host/host_views",
        )
    ),
]


def detached(data: bytes) -> bytes:
    bundle = decode_bundle(data)
    codes = tuple(code._replace(code=None) for code in bundle.content.codes)
    return encode_bundle(bundle._replace(content=bundle.content._replace(codes=codes)))


@given(st.lists(st.sampled_from([*FILES, *map(detached, FILES)]), min_size=1, max_size=6))
def test_everything_comes_back(bundles) -> None:
    data = pack(bundles)
    assert is_chain_file(data)
    assert list(unpack(data)) == bundles


def test_what_is_shared_stands_once() -> None:
    one, many = pack(FILES[:1]), pack([FILES[0], detached(FILES[0])])
    assert len(many) < len(one) + len(detached(FILES[0]))
    assert len(pack(FILES[:1] * 20)) < 20 * len(FILES[0])


CHAIN = pack([FILES[0], detached(FILES[0]), FILES[2]])


def test_no_flipped_bit_is_another_spelling() -> None:
    """A changed file is refused, or holds other bundles."""
    original = list(unpack(CHAIN))
    for position in range(len(CHAIN)):
        damaged = bytearray(CHAIN)
        damaged[position] ^= 1 << position % 8
        assert _bundles_or_code(bytes(damaged)) != original


def _bundles_or_code(data):
    try:
        return list(unpack(data))
    except BadInputError as error:
        return error.code


@pytest.mark.parametrize("end", [*range(60), *range(60, len(CHAIN), 97)])
def test_no_part_of_a_file_is_one(end) -> None:
    with pytest.raises(BadInputError):
        unpack(CHAIN[:end])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        FILES[0],
        MAGIC,
        MAGIC + b"\2\0",
        MAGIC + b"\1\0" + b"\0" * 12,
        MAGIC + b"\1\0" + b"\xff" * 100,
        MAGIC + b"\1\0" + b"\0" * 12 + b"\0",
        MAGIC + b"\1\0" + b"\1\0\0\0\1\0\0\0x" + b"\0" * 8,
        CHAIN + b"\0",
        CHAIN + CHAIN,
    ],
)
def test_what_is_no_chain_file(data) -> None:
    with pytest.raises(BadInputError):
        unpack(data)


def test_what_unpacks_to_far_too_much_is_neither_read_nor_made(monkeypatch) -> None:
    content = decode_bundle(FILES[0]).content
    code = content.codes[0]._replace(code=bytes(20_000))
    many = [encode_bundle(decode_bundle(FILES[0])._replace(content=content._replace(codes=(code,))))] * 500
    data = pack(many)
    bundles = unpack(data)
    assert (len(bundles), bundles.size()) == (500, sum(map(len, many)))
    ratio = bundles.size() // len(data)
    assert ratio > 1
    monkeypatch.setattr(chain_file, "MAX_RATIO", ratio)
    assert list(unpack(data)) == many
    monkeypatch.setattr(chain_file, "MAX_BUNDLE_BYTES", 1)
    assert chain_file.max_unpacked(len(data)) == ratio * len(data) < bundles.size()
    for refused, code in ((lambda: unpack(data), "malformed-chain"), (lambda: pack(many), "chain-too-large")):
        with pytest.raises(BadInputError) as caught:
            refused()
        assert caught.value.code == code
    monkeypatch.setattr(chain_file, "MAX_RATIO", ratio + 1)
    assert pack(many) == data
    assert len(unpack(data)) == 500
    monkeypatch.setattr(chain_file, "MAX_UNPACKED_BYTES", bundles.size() - 1)
    with pytest.raises(BadInputError, match="unpack to"):
        unpack(data)


def test_bundles_are_put_together_one_at_a_time(monkeypatch) -> None:
    bundles = unpack(CHAIN)
    made = []
    monkeypatch.setattr(chain_file, "encode_nodes", lambda nodes: made.append(1) or encode_nodes(nodes))
    for count, (one, original) in enumerate(zip(bundles, (FILES[0], detached(FILES[0]), FILES[2]), strict=True), 1):
        assert (one, len(made)) == (original, count)


def shared(*, nodes=(), codes=()):
    """The chain file of one bundle with more that is shared than it uses."""
    content = decode_bundle(FILES[0]).content
    all_nodes = sorted({*content.nodes, *nodes})
    all_codes = sorted({*(one.code for one in content.codes), *codes})
    packed = chain_file._packed(
        FILES[0],
        decode_bundle(FILES[0]),
        {node: place for place, node in enumerate(all_nodes)},
        {code: place for place, code in enumerate(all_codes)},
    )
    parts = (vector(map(blob, all_nodes)), vector(map(blob, all_codes)), vector([chain_file._encode_packed(packed)]))
    return b"".join((MAGIC, u16(1), *parts))


def test_what_no_bundle_uses_is_not_shared() -> None:
    assert shared() == pack(FILES[:1])
    for data in (shared(nodes=(b"more",)), shared(codes=(b"more",)), shared(nodes=(b"",))):
        with pytest.raises(BadInputError) as caught:
            unpack(data)
        assert caught.value.code == "malformed-chain"


def test_bundles_that_are_none_are_not_packed() -> None:
    with pytest.raises(BadInputError) as caught:
        pack([FILES[0][:-1]])
    assert caught.value.code == "malformed-bundle"
    with pytest.raises(BadInputError) as caught:
        pack([])
    assert caught.value.code == "empty-chain"


def test_the_declared_layout() -> None:
    fields = borsh.decode(schemas.chain_file(), CHAIN, "chain file", max_bytes=len(CHAIN))
    assert len(fields["bundles"]) == 3
    assert borsh.encode(schemas.chain_file(), fields, "chain file") == CHAIN
