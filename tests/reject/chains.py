"""Chains put together wrongly, and paths that lead elsewhere: checks 18 and 21."""

import functools
from collections.abc import Iterator

from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.proof.bundle import KEY_PATHS, Attachment, Bundle, decode_bundle, encode_bundle
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.proof.key_paths import encode_key_paths, key_paths_of
from near_tee_cli.proof.prover import Purpose, prove
from tests.reject.entry import Entry
from tests.support import worlds
from tests.support.bundles import SMALL_CONTRACT, small_proof
from tests.support.machines import machine
from tests.support.wat import wat


@functools.cache
def consecutive(
    count: int, *, numbered: bool = False, network: str = "localnet", last_gas: int = 10**13
) -> tuple[Bundle, ...]:
    """Bundles of one world: each is a call whose receipt comes in at the next one."""
    world = worlds.world(worlds.account("a.near", code=wat(SMALL_CONTRACT)))
    world.chain = world.chain._replace(chain_id=network)
    found, purpose = [], Purpose()
    for height in range(1, count + 1):
        gas = last_gas if height == count else 10**13
        call = worlds.transact("a.near", "a.near", FunctionCall("set", b"{}", gas, 0), nonce=height)
        transition = world.produce_block(worlds.block(height), transactions=[call], machine=machine())
        proof = prove(world.config, world.chain, transitions=[transition], machine=machine(), purpose=purpose)
        found.append(decode_bundle(proof.data))
        if numbered:
            purpose = Purpose(sequence=height, previous=claim_digest(proof.claim))
    return tuple(found)


def entries() -> Iterator[Entry]:
    """All of them."""
    yield from _chains()
    yield from _paths()


def _with_claim(bundle: Bundle, **fields) -> Bundle:
    claim = bundle.claim._replace(**fields)
    return bundle._replace(claim=claim, claim_digest=claim_digest(claim))


def _chains() -> Iterator[Entry]:
    first, second, third = consecutive(3)
    one, two, three = consecutive(3, numbered=True)
    other = consecutive(2, network="othernet")
    other_second = consecutive(2, last_gas=2 * 10**13)[1]
    for name, reason, code, *bundles in (
        ("turned-around", "two bundles are turned around", "chain-root", second, first),
        ("left-out", "a bundle is left out", "chain-root", first, third),
        ("repeated", "a bundle stands twice", "chain-repeat", first, first),
        ("forked", "two bundles follow the same one", "chain-root", first, second, other_second),
        ("network", "the second bundle is about another network", "chain-network", first, other[1]),
        ("previous", "the second bundle names another one before it", "chain-previous", one,
         _with_claim(two, previous=three.claim_digest)),
        ("sequence", "a number is left out", "chain-sequence", one, _with_claim(two, sequence=5)),
        ("sequence-kept", "two bundles have one number", "chain-sequence", two, _with_claim(three, sequence=1)),
    ):  # fmt: skip
        files = [encode_bundle(bundle) for bundle in bundles]
        yield Entry(f"chain-{name}", ("B12",), reason, files[0], 18, code, ("--chain", "--no-replay"), tuple(files[1:]))
    rest = (b"no bundle", encode_bundle(second))
    reason = "what stands in the middle cannot be read"
    yield Entry("chain-gap", ("B12",), reason, encode_bundle(first), 18, "chain-gap", ("--chain", "--no-replay"), rest)


def _paths() -> Iterator[Entry]:
    bundle = decode_bundle(small_proof().data)
    right = key_paths_of(bundle.content, bundle.claim.pre_root)
    first, *others = right.paths
    reversed_paths = right._replace(paths=(first[::-1], *others))
    for name, reason, data in (
        ("none", "an attachment of paths is empty", b""),
        ("left-out", "a path is left out", encode_key_paths(right._replace(paths=(first[1:], *others)))),
        ("turned-around", "paths stand in another order", encode_key_paths(reversed_paths)),
        ("ballast", "a node that no path needs",
         encode_key_paths(right._replace(nodes=tuple(sorted((*right.nodes, b"ballast")))))),
        ("byte-left-over", "a byte follows the paths", encode_key_paths(right) + b"\0"),
    ):  # fmt: skip
        lie = bundle._replace(attachments=(Attachment(KEY_PATHS, data),))
        yield Entry(f"paths-{name}", ("B4", "B9"), reason, encode_bundle(lie), 21, "key-path-mismatch")
