"""Bundles of recorded cases, and what a liar would make of them.

`relabelled` is the adversary: it takes changed content and makes every digest, count and root of the claim fit again,
as anybody can. What it makes must be refused by what the content says, never by a checksum.
"""

import functools

from near_tee_cli.errors import BadInputError, NearTeeError
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.action import FunctionCall
from near_tee_cli.proof.bundle import Bundle, Content, decode_bundle, encode_bundle
from near_tee_cli.proof.claim import Claim, claim_digest
from near_tee_cli.proof.partial_state import partial_trie
from near_tee_cli.proof.prover import Proof, Purpose, prove
from near_tee_cli.proof.report import Report, Status
from near_tee_cli.proof.statement import calls_of, claim_of, entries_of, parse, roots_before, setting_of
from near_tee_cli.proof.verifier import NO_REPLAY, verify
from near_tee_cli.runtime.world import Transition as Applied
from near_tee_cli.runtime.world import World
from near_tee_cli.workspace.replay import apply_case_block, world_of_case
from tests.support import cases, worlds
from tests.support.machines import machine
from tests.support.wat import wat


def applied(name: str) -> tuple[World, list[Applied]]:
    """The world behind a case, and its transitions."""
    case = cases.case(name)
    world = world_of_case(case)
    return world, [apply_case_block(world, block, machine=machine()).transition for block in case.blocks]


@functools.cache
def proof_of(name: str, purpose: Purpose | None = None) -> Proof:
    """The bundle of a whole case."""
    world, transitions = applied(name)
    return prove(world.config, world.chain, transitions=transitions, machine=machine(), purpose=purpose)


def bundle_of(name: str) -> Bundle:
    """The same, decoded."""
    return decode_bundle(proof_of(name).data)


def relabelled(content: Content, claim: Claim) -> bytes:
    """The file that claims `content`: all derived fields of `claim` are made to fit."""
    hashes = [sha256(node) for node in content.nodes]
    entries = entries_of(content, claim.pre_root, hashes=hashes)
    tries = [
        partial_trie(root, nodes=content.nodes, hashes=hashes, positions=transition.nodes)
        for transition, root in zip(content.transitions, roots_before(content, claim.pre_root), strict=True)
    ]
    try:
        calls = calls_of(content, [parse(transition) for transition in content.transitions], tries)
    except (NearTeeError, ValueError):
        calls = []
    new = claim_of(content, setting_of(claim), entries=entries, calls=calls)
    return encode_bundle(Bundle(new, claim_digest(new), content))


def with_transition(content: Content, position: int, **changes) -> Content:
    """`content` with fields of one transition replaced."""
    transitions = list(content.transitions)
    transitions[position] = transitions[position]._replace(**changes)
    return content._replace(transitions=tuple(transitions))


def without_node(content: Content, position: int) -> Content:
    """`content` without one node, named by nobody any more."""
    return _renumbered(content, content.nodes[:position] + content.nodes[position + 1 :])


def with_node(content: Content, node: bytes, *, named_by: tuple[int, ...] = (0,)) -> Content:
    """`content` with one node more, named by some transitions."""
    return _renumbered(content, tuple(sorted({*content.nodes, node})), extra=node, named_by=named_by)


def _renumbered(
    content: Content, nodes: tuple[bytes, ...], *, extra: bytes | None = None, named_by: tuple[int, ...] = ()
) -> Content:
    positions = {node: position for position, node in enumerate(nodes)}
    transitions = []
    for number, transition in enumerate(content.transitions):
        named = {content.nodes[node] for node in transition.nodes}
        if extra is not None and number in named_by:
            named.add(extra)
        transitions.append(
            transition._replace(nodes=tuple(sorted(positions[node] for node in named if node in positions)))
        )
    return content._replace(nodes=nodes, transitions=tuple(transitions))


def consistent(data: bytes) -> Report:
    """Verified without execution."""
    return verify(data, machine=None, require=NO_REPLAY)


def executed(data: bytes, **options) -> Report:
    """Verified with execution."""
    return verify(data, machine=machine(), **options)


def decided(report: Report) -> tuple[int, str | None]:
    """Number of the check that decided against a bundle, and the code."""
    for result in report.checks:
        if result.status is Status.FAILED or (result.code is not None and result.status is Status.NOT_MADE):
            return result.number, result.code
    return 0, None


def decode_or_none(data: bytes) -> Bundle | None:
    """The bundle in `data`, if it is one."""
    try:
        return decode_bundle(data)
    except BadInputError:
        return None


SMALL_CONTRACT = """
(module
  (import "env" "storage_write" (func $write (param i64 i64 i64 i64 i64) (result i64)))
  (import "env" "log_utf8" (func $log (param i64 i64)))
  (memory 1)
  (data (i32.const 0) "keyvalue")
  (func (export "set")
    (drop (call $write (i64.const 3) (i64.const 0) (i64.const 5) (i64.const 3) (i64.const 0)))
    (call $log (i64.const 8) (i64.const 0))))
"""


@functools.cache
def small_proof() -> Proof:
    """One call of a small contract, run and settled in two blocks: everything a bundle can hold, below 4 KiB."""
    code = wat(SMALL_CONTRACT)
    world = worlds.world(worlds.account("a.near", code=code))
    call = worlds.transact("a.near", "a.near", FunctionCall("set", b"{}", 10**13, 0))
    transitions = [
        world.produce_block(worlds.block(1), transactions=[call], machine=machine()),
        world.produce_block(worlds.block(2), machine=machine()),
    ]
    purpose = Purpose(audience="jury", worker="work", sequence=3, previous=bytes(range(32)))
    return prove(world.config, world.chain, transitions=transitions, machine=machine(), purpose=purpose)
