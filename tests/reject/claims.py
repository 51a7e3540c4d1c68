"""Claims that do not belong to their content: checks 3 to 5, 10, 14 and the swaps between bundles."""

from collections.abc import Iterator

from near_tee_cli.params.store import config_at
from near_tee_cli.proof.bundle import Bundle, decode_bundle, encode_bundle
from near_tee_cli.proof.claim import Trace, claim_digest
from tests.reject.entry import Entry
from tests.reject.lies import LIES, with_outcome
from tests.support.bundles import decided, executed, proof_of, relabelled, small_proof, with_transition

FIELDS = {
    "first_height": 7,
    "last_height": 7,
    "pre_root": bytes(32),
    "post_root": bytes(32),
    "transitions": 1,
    "entries_root": bytes(32),
    "input_digest": bytes(32),
    "outcome_digest": bytes(32),
    "witness_digest": bytes(32),
    "witness_size": 1,
    "changes_digest": bytes(32),
    "changes_size": 1,
    "codes_digest": bytes(32),
    "calls": 0,
    "calls_root": bytes(32),
    "call": None,
    "network": "mainnet",
}
FREE = {"audience": "", "worker": "", "sequence": 4, "previous": None, "trace": Trace(bytes(32), 5)}
CALL = {
    "contract": {"receiver_id": "b.near"},
    "caller": {"predecessor_id": "b.near"},
    "signer": {"signer_id": "b.near"},
    "method": {"method_name": "get"},
    "args": {"args_digest": bytes(32)},
    "args-length": {"args_length": 3},
    "deposit": {"deposit": 1},
    "gas": {"gas": 1},
    "code": {"code_hash": None},
    "id": {"id": bytes(32)},
}
OTHERS = (
    "runtime/promises/promises-global-bad-hash",
    "runtime/yields/yields-resume-bad-id",
    "vm/extra/extra_sizes1_pv86",
)


def entries() -> Iterator[Entry]:
    """All of them."""
    bundle = decode_bundle(small_proof().data)
    yield from _contents(bundle)
    yield from _protocols(bundle)
    yield from _fields(bundle)
    yield from _swaps(bundle)
    yield from _work(bundle)


def _contents(bundle: Bundle) -> Iterator[Entry]:
    for name, lie in LIES.items():
        yield Entry(
            name, lie.threats, lie.reason, relabelled(lie.make(bundle.content), bundle.claim), lie.check, lie.code
        )
    nothing = bundle.content._replace(transitions=(), nodes=(), codes=())
    yield Entry(
        "no-blocks",
        ("B12",),
        "a bundle without a block claims nothing",
        encode_bundle(bundle._replace(content=nothing)),
        5,
        "content-mismatch",
    )
    flood = with_outcome(with_outcome(bundle.content, 0, 0, gas_burnt=2**63), 0, 1, gas_burnt=2**63)
    yield Entry(
        "gas-beyond-a-chunk",
        ("B15",),
        "more gas was burnt than a chunk can burn",
        encode_bundle(bundle._replace(content=flood)),
        5,
        "gas-mismatch",
    )


def _signed(bundle: Bundle, **fields) -> bytes:
    """The claim with other fields and the digest that fits them."""
    claim = bundle.claim._replace(**fields)
    return encode_bundle(Bundle(claim, claim_digest(claim), bundle.content))


def _protocols(bundle: Bundle) -> Iterator[Entry]:
    for version in (0, 82, 87, 2**32 - 1):
        yield Entry(
            f"protocol-{version}",
            ("B11",),
            f"protocol version {version} is not implemented",
            _signed(bundle, protocol_version=version),
            3,
            "unsupported-protocol-version",
        )
    yield Entry(
        "protocol-85",
        ("B11",),
        "the configuration is not that of the protocol version",
        _signed(bundle, protocol_version=85),
        3,
        "config-mismatch",
    )
    yield Entry(
        "config-of-85",
        ("B11",),
        "prices of another protocol version",
        _signed(bundle, config_digest=config_at(85).digest),
        3,
        "config-mismatch",
    )
    yield Entry(
        "config-invented", ("B11",), "invented prices", _signed(bundle, config_digest=bytes(32)), 3, "config-mismatch"
    )


def _fields(bundle: Bundle) -> Iterator[Entry]:
    for name, value in {**FIELDS, **FREE}.items():
        claim = bundle.claim._replace(**{name: value})
        threats = ("B9", "B11") if name in ("network", "audience", "worker", "sequence", "previous") else ("B9", "B10")
        word = name.replace("_", "-")
        yield Entry(
            f"claim-{word}-without-digest",
            threats,
            f"{name} is changed and the digest of the claim is not",
            encode_bundle(bundle._replace(claim=claim)),
            4,
            "claim-digest-mismatch",
        )
        if name in FIELDS:
            check = 10 if name.startswith("call") else 5
            code = "call-mismatch" if check == 10 else "content-mismatch"
            yield Entry(
                f"claim-{word}",
                threats,
                f"{name} is not that of the content",
                _signed(bundle, **{name: value}),
                check,
                code,
            )
    gas = bundle.claim.gas
    yield Entry(
        "claim-gas",
        ("B10",),
        "gas is moved from one kind to another",
        _signed(bundle, gas=gas._replace(wasm=gas.wasm + 1, storage=gas.storage - 1)),
        5,
        "content-mismatch",
    )
    yield Entry(
        "claim-digest-flipped",
        ("B9",),
        "the digest beside the claim is another",
        encode_bundle(bundle._replace(claim_digest=bytes(32))),
        4,
        "claim-digest-mismatch",
    )
    for word, fields in CALL.items():
        yield Entry(
            f"call-{word}",
            ("B10", "B11"),
            "the call in the claim is not the one that was made",
            _signed(bundle, call=bundle.claim.call._replace(**fields)),
            10,
            "call-mismatch",
        )


def _swaps(bundle: Bundle) -> Iterator[Entry]:
    """A part of another valid bundle in this one: as it is, and with every digest made to fit."""
    for number, name in enumerate(OTHERS, 1):
        other = decode_bundle(proof_of(name).data)
        swapped = {
            "claim": bundle._replace(claim=other.claim, claim_digest=other.claim_digest),
            "claim-digest": bundle._replace(claim_digest=other.claim_digest),
            "nodes": bundle._replace(content=bundle.content._replace(nodes=other.content.nodes)),
            "codes": bundle._replace(content=bundle.content._replace(codes=other.content.codes)),
            "carried": bundle._replace(
                content=bundle.content._replace(carried=other.content.transitions[0].chunk.carried)
            ),
        }
        for part, made in swapped.items():
            if made == bundle:
                continue
            try:
                data = encode_bundle(made)
            except Exception:
                continue
            yield from _decided(f"swap-{part}-{number}", f"{part} of another bundle", data)
        for part in ("transactions", "outcomes", "sent", "changes", "chunk"):
            value = getattr(other.content.transitions[0], part)
            if value == getattr(bundle.content.transitions[0], part):
                continue
            content = with_transition(bundle.content, 0, **{part: value})
            yield from _decided(
                f"swap-{part}-{number}",
                f"{part} of another bundle, digests made to fit",
                relabelled(content, bundle.claim),
            )


def _decided(name: str, reason: str, data: bytes) -> Iterator[Entry]:
    """What a swap is refused by depends on what else it breaks first: the corpus keeps the answer once given."""
    check, code = decided(executed(data))
    if code is None:
        raise AssertionError(f"{name} is accepted")
    yield Entry(name, ("B10",), reason, data, check, code)


def _work(bundle: Bundle) -> Iterator[Entry]:
    gas = bundle.claim.gas.total
    yield Entry(
        "work-beyond-the-allowance",
        ("B15",),
        "executing again burns more than is allowed",
        small_proof().data,
        14,
        "too-expensive",
        ("--max-gas", f"{gas - 1} gas"),
    )
    yield Entry(
        "work-of-one-gas",
        ("B15",),
        "executing again burns more than is allowed",
        small_proof().data,
        14,
        "too-expensive",
        ("--max-gas", "1 gas"),
    )
    other = decode_bundle(proof_of("vm/prog/prog_054").data)
    yield Entry(
        "work-hidden",
        ("B15",),
        "inputs that cost far more than the claim says",
        relabelled(with_transition(other.content, 0, receipts=other.content.transitions[0].receipts), other.claim),
        14,
        "too-expensive",
        ("--max-gas", "1 Ggas"),
    )
