"""Proving: applied transitions become one bundle, which is verified before anybody gets it.

Nothing is executed here; whoever ran the blocks kept what they read. The bundle is a function of that: the same
transitions give the same bytes.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, NearTeeError, UnsupportedError
from near_tee_cli.params.config import RuntimeConfig
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.receipt import encode_receipt
from near_tee_cli.primitives.schema.transaction import encode_signed_transaction
from near_tee_cli.proof.bundle import Bundle, Carried, Code, Content, Transition, encode_bundle
from near_tee_cli.proof.claim import Claim, claim_digest
from near_tee_cli.proof.partial_state import partial_trie
from near_tee_cli.proof.reexecution import chunk_of
from near_tee_cli.proof.report import Report, Verdict
from near_tee_cli.proof.statement import Parsed, Setting, calls_of, claim_of, entries_of, roots_before
from near_tee_cli.proof.verifier import verify
from near_tee_cli.runtime import world
from near_tee_cli.runtime.block import ChainContext
from near_tee_cli.runtime.chunk import Machine

UNBOUNDED_GAS = 2**128
"""The prover executes again whatever it has executed before."""


class Purpose(NamedTuple):
    """What a claim says that the execution does not: for whom it is made, by whom, and what it follows."""

    audience: str = ""
    worker: str = ""
    sequence: int = 0
    previous: bytes | None = None


class Proof(NamedTuple):
    """A bundle that has verified."""

    data: bytes
    """The bytes of the file."""
    claim: Claim
    report: Report


def prove(
    config: RuntimeConfig,
    chain: ChainContext,
    *,
    transitions: Sequence[world.Transition],
    machine: Machine,
    purpose: Purpose | None = None,
) -> Proof:
    """The bundle about consecutive `transitions` of one world, executed again on `machine` before it is given out.

    Raises `BadInputError` without transitions, when they do not follow one another, or beyond a cap of the format
    (`bundle-too-large`), `UnsupportedError` when a contract is named whose code the state lacks, and `NearTeeError`
    (`self-check-failed`) when the bundle does not verify.
    """
    bundle = assemble(config, chain, transitions=transitions, purpose=purpose or Purpose())
    data = encode_bundle(bundle)
    report = verify(data, machine=machine, max_gas=UNBOUNDED_GAS)
    if report.malformed:
        # What was just encoded can only fail to be read for its size.
        raise BadInputError(
            f"this does not fit one bundle: {report.message}",
            code="bundle-too-large",
            hint="prove fewer blocks at a time",
        )
    if report.verdict is not Verdict.ESTABLISHED:
        failed = next((result for result in report.checks if result.code is not None), None)
        name = "" if failed is None else f" (check {failed.number}, {failed.name})"
        raise NearTeeError(f"the bundle does not verify{name}: {report.message}", code="self-check-failed")
    return Proof(data, bundle.claim, report)


def assemble(
    config: RuntimeConfig, chain: ChainContext, *, transitions: Sequence[world.Transition], purpose: Purpose
) -> Bundle:
    """The bundle about `transitions`, not verified yet. Raises as `prove` does."""
    if not transitions:
        raise BadInputError("there is no block to prove", code="nothing-to-prove")
    for before, after in pairwise(transitions):
        if before.result.state_root != after.pre_root:
            raise BadInputError("the blocks do not follow one another", code="not-consecutive")
    first = transitions[0]
    content = _content(chain, transitions)
    setting = Setting(
        network=chain.chain_id,
        protocol_version=config.protocol_version,
        pre_root=first.pre_root,
        audience=purpose.audience,
        worker=purpose.worker,
        sequence=purpose.sequence,
        previous=purpose.previous,
    )
    hashes = [sha256(node) for node in content.nodes]
    tries = [
        partial_trie(root, nodes=content.nodes, hashes=hashes, positions=transition.nodes)
        for transition, root in zip(content.transitions, roots_before(content, first.pre_root), strict=True)
    ]
    calls = calls_of(content, list(map(_parsed, transitions, content.transitions)), tries)
    entries = entries_of(content, first.pre_root, hashes=hashes)
    claim = claim_of(content, setting, entries=entries, calls=calls)
    return Bundle(claim, claim_digest(claim), content)


def _parsed(transition: world.Transition, part: Transition) -> Parsed:
    """What `parse` would read from `part`: the records that it was written from."""
    inputs = transition.inputs
    outside = inputs.receipts[len(inputs.receipts) - len(part.receipts) :]
    return Parsed(inputs.transactions, outside, transition.result.outgoing_receipts)


def _content(chain: ChainContext, transitions: Sequence[world.Transition]) -> Content:
    nodes = sorted({node for transition in transitions for node in transition.result.witness})
    codes = _codes(transitions)
    positions = {node: position for position, node in enumerate(nodes)}
    code_positions = {code.hash: position for position, code in enumerate(codes)}
    first = transitions[0].inputs
    sent: tuple[bytes, ...] = ()
    parts: list[Transition] = []
    for transition in transitions:
        part = _transition(transition, sent, nodes=positions, codes=code_positions, is_first=not parts)
        parts.append(part)
        sent = part.sent
    return Content(
        validators=tuple(sorted(chain.validators)),
        minimum_stake=chain.minimum_stake,
        carried=Carried(first.congestion_info, first.bandwidth_requests),
        transitions=tuple(parts),
        nodes=tuple(nodes),
        codes=codes,
    )


def _codes(transitions: Sequence[world.Transition]) -> tuple[Code, ...]:
    found: dict[bytes, bytes] = {}
    for transition in transitions:
        for code_hash, code in transition.result.codes.items():
            if code is None:
                raise UnsupportedError(
                    f"an account names the contract {code_hash.hex()}, which the state lacks; that cannot be proven",
                    what="missing-code",
                )
            found[code_hash] = code
    return tuple(Code(code_hash, found[code_hash]) for code_hash in sorted(found))


def _transition(
    transition: world.Transition,
    sent_before: tuple[bytes, ...],
    *,
    nodes: dict[bytes, int],
    codes: dict[bytes, int],
    is_first: bool,
) -> Transition:
    block, inputs, _, result = transition
    receipts = tuple(map(encode_receipt, inputs.receipts))
    # Receipts that the block before sent stand there already.
    forward = not is_first and receipts[: len(sent_before)] == sent_before
    return Transition(
        block=block,
        forward=forward,
        transactions=tuple(map(encode_signed_transaction, inputs.transactions)),
        expired=tuple(sorted(inputs.expired)),
        receipts=receipts[len(sent_before) :] if forward else receipts,
        post_root=result.state_root,
        outcomes=result.outcomes,
        sent=tuple(map(encode_receipt, result.outgoing_receipts)),
        changes=result.state_changes,
        chunk=chunk_of(result),
        nodes=tuple(sorted(nodes[node] for node in result.witness)),
        codes=tuple(sorted(codes[code_hash] for code_hash in result.codes)),
    )
