"""The checks of a bundle, numbered once: here, in `docs/verification.md` and in every report.

Each check is a sentence about what must hold and the attack that it stops. Those in this module execute nothing.
They run in the order of their numbers and the first that fails ends the verification, so that a check may rely on
everything that stands before it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from near_tee_cli.errors import BadInputError, EvidenceError, MissingNodeError, UnsupportedError
from near_tee_cli.params.features import SUPPORTED_VERSIONS
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.schema.outcome import ExecutionOutcome
from near_tee_cli.primitives.schema.receipt import ActionReceipt, decode_state_stored_receipt
from near_tee_cli.proof.bundle import Bundle, Transition
from near_tee_cli.proof.claim import Call, Claim, Entry, claim_digest
from near_tee_cli.proof.partial_state import Soundness, changed_root, partial_trie
from near_tee_cli.proof.statement import (
    Parsed,
    call_fields,
    calls_of,
    claim_of,
    entries_of,
    parse,
    roots_before,
    setting_of,
)
from near_tee_cli.state.keys import describe
from near_tee_cli.state.trie import Trie


class Check(NamedTuple):
    """One check: its number for ever, its name, what must hold, and what would go through without it."""

    number: int
    name: str
    holds: str
    stops: str


FORMAT = Check(
    1, "format",
    "the file begins as a bundle of a known version and is no larger than a bundle may be",
    "foreign files; files that are read by the rules of another version; floods",
)  # fmt: skip
ENCODING = Check(
    2, "encoding",
    "the file is the one strict encoding of its content, within all caps, ordered, nothing doubled, nothing left over",
    "truncated, padded or respelt files; length bombs; doubled nodes; two files that mean the same",
)  # fmt: skip
PROTOCOL = Check(
    3, "protocol",
    "the protocol version is implemented here and the claimed configuration is the one of that version",
    "results by invented prices or limits",
)  # fmt: skip
CLAIM_DIGEST = Check(
    4, "claim-digest",
    "the digest beside the claim is that of the claim",
    "damage to fields that nothing else in the bundle determines",
)  # fmt: skip
CONTENT = Check(
    5, "content",
    "every root, digest, count and size in the claim follows from the content",
    "inputs, outcomes, changes, witness or code of another execution put under this claim",
)  # fmt: skip
INPUTS = Check(
    6, "inputs",
    "transactions and receipts decode, heights rise, and only receipts of the block before are forwarded",
    "inputs that no node would accept as such; blocks repeated or turned around",
)  # fmt: skip
WITNESS = Check(
    7, "witness",
    "every node and value is reached from the root that its transition starts from, with sizes that agree",
    "invented values before; nodes that belong nowhere; nodes passed off as values",
)  # fmt: skip
CODE = Check(
    8, "code",
    "every contract has the hash under which it stands and is named by a transition",
    "other code under a trusted hash; code that nothing uses",
)  # fmt: skip
CHANGES = Check(
    9, "changes",
    "applied to the witness, the changes of each transition lead to its root after",
    "a root after that other changes would give; changes left out or added",
)  # fmt: skip
CALLS = Check(
    10, "calls",
    "the calls in the claim are the ones that entered, with the contracts that their accounts named",
    "a claim that names another caller, method, amount or contract than what was executed",
)  # fmt: skip
OUTCOMES = Check(
    11, "outcomes",
    "every outcome belongs to a transaction or receipt that was there, and none comes twice",
    "outcomes of nothing; one execution counted twice",
)  # fmt: skip
RECEIPTS = Check(
    12, "receipts",
    "every receipt that an outcome names was sent, executed or stored, and nothing else was sent",
    "receipts dropped on the way or slipped in",
)  # fmt: skip
GAS = Check(
    13, "gas",
    "gas by kind, by outcome and in total adds up",
    "a total that its parts do not give",
)  # fmt: skip
RE_EXECUTION = Check(
    14, "re-execution",
    "executed again from the witness alone, every transition gives the same results to the last bit",
    "everything else: a consistent story that the contracts do not tell",
)  # fmt: skip
COMPLETENESS = Check(
    15, "completeness",
    "executing again reads every node, value and contract of the bundle and no other",
    "ballast that carries hidden content; witnesses that were made for another execution",
)  # fmt: skip
SIGNATURES = Check(
    16, "signatures",
    "a trusted key signed exactly this claim",
    "claims that nobody vouches for",
)  # fmt: skip
ATTESTATION = Check(
    17, "attestation",
    "a key that accepted evidence binds to measured code signed this claim",
    "keys that live outside an accepted environment",
)  # fmt: skip
CHAIN = Check(
    18, "chain",
    "the claim continues the one before it: roots, receipts, sequence",
    "steps left out, repeated, forked or turned around",
)  # fmt: skip
TRACE = Check(
    19, "trace",
    "the commitment to the steps of the execution is that of its execution",
    "disputes that cannot be decided",
)  # fmt: skip
EXPECTATIONS = Check(
    20, "expectations",
    "the claim is about what was expected: contract, code, caller, roots, network, heights and age",
    "true claims about something else: another contract or network, a block of last year",
)  # fmt: skip
KEY_PATHS = Check(
    21, "key-paths",
    "every change has the one Merkle path that leads to it before and after, and there is nothing else",
    "paths that prove something else to a contract, or carry hidden content",
)  # fmt: skip

EVIDENCE_KEY = Check(
    22, "evidence-key",
    "the report data of the quote bind the key that signed this claim, and the signature names this quote",
    "evidence of another machine or for another claim put beside a signature",
)  # fmt: skip
EVIDENCE_CHECKS = (
    EVIDENCE_KEY,
    Check(
        23, "quote",
        "the quote is signed by a genuine quoting enclave, up to the trusted root, at the verifier's time",
        "forged and revoked evidence; evidence that was never Intel's",
    ),
    Check(
        24, "tcb",
        "the platform's status, advisories and collateral are those that the policy accepts",
        "platforms with known holes",
    ),
    Check(
        25, "td-attributes",
        "the guest cannot be debugged, moved or profiled, and its module is an accepted one",
        "guests into which their host can look",
    ),
    Check(
        26, "event-log",
        "the log, recomputed event by event, leads to the registers of the quote",
        "logs that tell of other code than was measured",
    ),
    Check(
        27, "application",
        "compose file, app id and key provider are accepted ones, and the file pins all code that it runs",
        "other applications; files that let code in later",
    ),
    Check(
        28, "measurements",
        "one whole set of the policy fits: firmware, machine, kernel and system",
        "other images; development images that differ in one register",
    ),
    Check(
        29, "platform",
        "the machine is one that the policy accepts",
        "machines in the hands of whoever breaks them open",
    ),
    Check(
        30, "freshness",
        "challenge, anchor block and collateral are as fresh as the policy asks for",
        "evidence kept from another time",
    ),
)  # fmt: skip

CHECKS = (
    FORMAT, ENCODING, PROTOCOL, CLAIM_DIGEST, CONTENT, INPUTS, WITNESS, CODE, CHANGES, CALLS, OUTCOMES, RECEIPTS, GAS,
    RE_EXECUTION, COMPLETENESS, SIGNATURES, ATTESTATION, CHAIN, TRACE, EXPECTATIONS,
    KEY_PATHS, *EVIDENCE_CHECKS,
)  # fmt: skip
"""All checks; the number of a check is its position, counted from 1."""

_RECEIPT_ROWS = frozenset({"PostponedReceipt", "DelayedReceipt", "PromiseYieldReceipt", "BufferedReceipt"})


class Examined:
    """A decoded bundle and what checks have derived from it so far, for those that follow."""

    __slots__ = ("bundle", "calls", "entries", "hashes", "parsed", "tries")

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.hashes = [sha256(node) for node in bundle.content.nodes]
        self.entries: list[Entry] = []
        self.parsed: list[Parsed] = []
        self.calls: list[Call] = []
        self.tries: list[Trie] = []


def check_protocol(examined: Examined) -> str:
    """Check 3. Raises `UnsupportedError` for a version that is not implemented."""
    claim = examined.bundle.claim
    version = claim.protocol_version
    if version not in SUPPORTED_VERSIONS:
        known = ", ".join(map(str, SUPPORTED_VERSIONS))
        raise UnsupportedError(
            f"protocol version {version} is not implemented (known: {known})", what="protocol-version"
        )
    if config_at(version).digest != claim.config_digest:
        raise EvidenceError(
            f"the claimed configuration is not that of protocol version {version}", code="config-mismatch"
        )
    return f"protocol version {version}"


def check_claim_digest(examined: Examined) -> str:
    """Check 4."""
    bundle = examined.bundle
    if claim_digest(bundle.claim) != bundle.claim_digest:
        raise EvidenceError("the digest beside the claim is not its digest", code="claim-digest-mismatch")
    return bundle.claim_digest.hex()


_CALL_FIELDS = ("calls", "calls_root", "call")


def check_content(examined: Examined) -> str:
    """Check 5: all derived fields but those about calls, which need a sound witness."""
    claim, content = examined.bundle.claim, examined.bundle.content
    if not content.transitions:
        raise EvidenceError("a bundle without a block claims nothing", code="content-mismatch")
    examined.entries = entries_of(content, claim.pre_root, hashes=examined.hashes)
    derived = claim_of(content, setting_of(claim), entries=examined.entries, calls=())
    for name, claimed, found in zip(Claim._fields, claim, derived, strict=True):
        if claimed != found and name not in _CALL_FIELDS:
            raise EvidenceError(f"{name} in the claim is not that of the content", code="content-mismatch", where=name)
    return f"{len(content.transitions)} blocks, {len(content.nodes)} nodes, {len(content.codes)} contracts"


def check_inputs(examined: Examined) -> str:
    """Check 6."""
    height = -1
    sent_before: tuple[bytes, ...] | None = None
    for position, transition in enumerate(examined.bundle.content.transitions):
        where = f"transition {position}"
        if transition.block.height <= height:
            raise EvidenceError(f"{where} does not lie above the one before", code="height-order", where=where)
        height = transition.block.height
        _require_inputs_fit(transition, sent_before, position)
        sent_before = transition.sent
        try:
            examined.parsed.append(parse(transition))
        except BadInputError as error:
            raise EvidenceError(f"{where}: {error.message}", code="bad-inputs", where=where) from error
    transactions = sum(len(records.transactions) for records in examined.parsed)
    receipts = sum(len(records.receipts) for records in examined.parsed)
    return f"{transactions} transactions, {receipts} receipts from outside"


def _require_inputs_fit(transition: Transition, sent_before: tuple[bytes, ...] | None, position: int) -> None:
    """There is one way to say what comes in.

    What the block before sent is forwarded and not repeated, the flag is on where it changes nothing, and a block
    without a chunk has no inputs.
    """
    where = f"transition {position}"
    has_chunk = transition.block.is_new_chunk
    if transition.forward and (sent_before is None or (sent_before and not has_chunk)):
        raise EvidenceError(f"{where} has nobody to forward from or nothing to do", code="bad-forward", where=where)
    if not has_chunk and (transition.transactions or transition.receipts):
        raise EvidenceError(f"{where} has inputs but no chunk", code="bad-inputs", where=where)
    repeated = sent_before is not None and transition.receipts[: len(sent_before)] == sent_before
    if repeated and not transition.forward:
        raise EvidenceError(f"{where} repeats what was sent instead of forwarding it", code="bad-forward", where=where)


def check_witness(examined: Examined) -> str:
    """Check 7."""
    claim, content = examined.bundle.claim, examined.bundle.content
    hashes = examined.hashes
    used: set[int] = set()
    soundness = Soundness()
    roots = roots_before(content, claim.pre_root)
    for position, (transition, root) in enumerate(zip(content.transitions, roots, strict=True)):
        items = {hashes[node]: content.nodes[node] for node in transition.nodes}
        try:
            soundness.require(root, items)
        except (EvidenceError, BadInputError) as error:
            where = f"transition {position}"
            raise EvidenceError(f"{where}: {error.message}", code=error.code, where=where) from error
        used.update(transition.nodes)
        examined.tries.append(partial_trie(root, nodes=content.nodes, hashes=hashes, positions=transition.nodes))
    if len(used) != len(content.nodes):
        unused = len(content.nodes) - len(used)
        raise EvidenceError(f"{unused} nodes or values belong to no transition", code="superfluous-node")
    return f"{len(content.nodes)} nodes and values, {claim.witness_size} bytes, all reached"


def check_code(examined: Examined) -> str:
    """Check 8."""
    content = examined.bundle.content
    for code in content.codes:
        if code.code is not None and sha256(code.code) != code.hash:
            raise EvidenceError(f"the contract under {code.hash.hex()} has another hash", code="code-mismatch")
    used = {position for transition in content.transitions for position in transition.codes}
    if len(used) != len(content.codes):
        raise EvidenceError("a contract belongs to no transition", code="superfluous-code")
    apart = sum(code.code is None for code in content.codes)
    return f"{len(content.codes)} contracts" + (f", {apart} of them by hash only" if apart else "")


def check_changes(examined: Examined) -> str:
    """Check 9."""
    count = 0
    for position, transition in enumerate(examined.bundle.content.transitions):
        where = f"transition {position}"
        try:
            root = changed_root(examined.tries[position], transition.changes)
        except (EvidenceError, BadInputError) as error:
            raise EvidenceError(f"{where}: {error.message}", code=error.code, where=where) from error
        if root != transition.post_root:
            raise EvidenceError(f"{where}: the changes lead to another root", code="root-mismatch", where=where)
        count += len(transition.changes)
    return f"{count} changes lead from root to root"


def check_calls(examined: Examined) -> str:
    """Check 10."""
    claim, content = examined.bundle.claim, examined.bundle.content
    try:
        calls = calls_of(content, examined.parsed, examined.tries)
    except (MissingNodeError, BadInputError) as error:
        raise EvidenceError(f"a called account cannot be looked up: {error.message}", code=error.code) from error
    examined.calls = calls
    claimed = (claim.calls, claim.calls_root, claim.call)
    for name, said, found in zip(_CALL_FIELDS, claimed, call_fields(calls), strict=True):
        if said != found:
            raise EvidenceError(f"{name} in the claim is not that of the inputs", code="call-mismatch", where=name)
    return f"{len(calls)} calls from outside"


def check_outcomes(examined: Examined) -> str:
    """Check 11. The root itself is part of check 5."""
    count = 0
    forwarded: Sequence[bytes] = ()
    for position, transition in enumerate(examined.bundle.content.transitions):
        records = examined.parsed[position]
        causes = {transaction.hash for transaction in records.transactions}
        causes.update(receipt.receipt_id for receipt in records.receipts)
        if transition.forward:
            causes.update(forwarded)
        causes.update(_named(transition))
        causes.update(_taken_from_state(transition, examined.tries[position], position))
        seen: set[bytes] = set()
        for entry in transition.outcomes:
            if entry.id not in causes:
                raise EvidenceError(
                    f"transition {position}: outcome {entry.id.hex()} belongs to nothing", code="stray-outcome"
                )
            if entry.id in seen:
                raise EvidenceError(f"transition {position}: outcome {entry.id.hex()} twice", code="stray-outcome")
            seen.add(entry.id)
        forwarded = [receipt.receipt_id for receipt in records.sent]
        count += len(transition.outcomes)
    return f"{count} outcomes"


def check_receipts(examined: Examined) -> str:
    """Check 12."""
    count = 0
    for position, transition in enumerate(examined.bundle.content.transitions):
        where = f"transition {position}"
        sent = {receipt.receipt_id for receipt in examined.parsed[position].sent}
        named = _named(transition)
        executed = {entry.id for entry in transition.outcomes}
        stored = _stored_in_state(transition, position)
        for receipt_id in named:
            if receipt_id not in sent and receipt_id not in executed and receipt_id not in stored:
                raise EvidenceError(f"{where}: receipt {receipt_id.hex()} is lost", code="lost-receipt", where=where)
        known = {*named, *_taken_from_state(transition, examined.tries[position], position)}
        for receipt in examined.parsed[position].sent:
            if isinstance(receipt.body, ActionReceipt) and receipt.receipt_id not in known:
                raise EvidenceError(
                    f"{where}: receipt {receipt.receipt_id.hex()} was sent by nothing",
                    code="stray-receipt",
                    where=where,
                )
        count += len(sent)
    return f"{count} receipts sent"


def _named(transition: Transition) -> list[bytes]:
    """Ids of the receipts that the outcomes of a transition name."""
    return [receipt_id for entry in transition.outcomes for receipt_id in entry.outcome.receipt_ids]


def _is_receipt_row(key: bytes) -> bool:
    if key[:1] not in (b"\x06", b"\x07", b"\x0c", b"\x0e"):
        return False
    try:
        return describe(key).column in _RECEIPT_ROWS
    except BadInputError:
        return False


def _stored_in_state(transition: Transition, position: int) -> set[bytes]:
    """Ids of the receipts that a transition put into queues and waiting rows."""
    rows = [value for key, value in transition.changes if value is not None and _is_receipt_row(key)]
    return _receipt_ids(rows, position)


def _taken_from_state(transition: Transition, trie: Trie, position: int) -> set[bytes]:
    """Ids of the receipts that a transition took out of queues and waiting rows."""
    rows = []
    for key, value in transition.changes:
        if value is None and _is_receipt_row(key):
            try:
                row = trie.get(key)
            except MissingNodeError as error:
                raise EvidenceError(
                    f"transition {position}: a receipt that was taken is not in the witness", code="missing-node"
                ) from error
            if row is not None:
                rows.append(row)
    return _receipt_ids(rows, position)


def _receipt_ids(rows: list[bytes], position: int) -> set[bytes]:
    try:
        return {decode_state_stored_receipt(row).receipt.receipt_id for row in rows}
    except BadInputError as error:
        raise EvidenceError(f"transition {position}: {error.message}", code="bad-row") from error


def check_gas(examined: Examined) -> str:
    """Check 13. The sums by kind and in total are part of check 5."""
    for position, transition in enumerate(examined.bundle.content.transitions):
        for entry in transition.outcomes:
            if _profile_total(entry.outcome) > entry.outcome.gas_burnt:
                raise EvidenceError(
                    f"transition {position}: the profile of outcome {entry.id.hex()} exceeds its gas",
                    code="gas-mismatch",
                )
    gas = examined.bundle.claim.gas
    if sum(gas[:-1]) != gas.total:
        raise EvidenceError("gas by kind does not add up to the total", code="gas-mismatch")
    return f"{gas.total} gas"


def _profile_total(outcome: ExecutionOutcome) -> int:
    profile = outcome.metadata.profile
    return 0 if profile is None else sum(profile.actions) + sum(profile.ext) + profile.wasm_gas
