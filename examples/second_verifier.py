"""A second verifier of proof bundles, from `docs/bundle-format.md` and `docs/verification.md` alone.

One file, the standard library, no import of near-tee: whoever distrusts the first verifier reads this one. It makes
the checks 1 to 13 and so establishes `consistent`; nothing is executed. The layouts below are the tables of the format,
in the same words; one generic reader takes bundles apart by them. Transactions, receipts, trie nodes and outcome hashes
are nearcore's.

    python second_verifier.py BUNDLE [--json]

Ends with 0 when the claim is consistent, 4 when it is contradicted, 5 when that cannot be told, 6 when the file is no
bundle.
"""

import hashlib
import itertools
import json
import re
import sys

# What is read, by the tables of the format. A record is a list of (field, type); a union maps its numbers to types.

BUNDLE = [
    ("magic", "[8]"),
    ("version", "u16"),
    ("claim", "Claim"),
    ("claim_digest", "hash"),
    ("validators", "Vec<Validator>"),
    ("minimum_stake", "Option<u128>"),
    ("carried", "Carried"),
    ("transitions", "Vec<Transition>"),
    ("nodes", "Vec<bytes>"),
    ("codes", "Vec<Code>"),
    ("attachments", "Vec<Attachment>"),
]
RECORDS = {
    "Bundle": BUNDLE,
    "Claim": [
        ("network", "Text"),
        ("audience", "AccountOrNone"),
        ("worker", "AccountOrNone"),
        ("sequence", "u64"),
        ("previous", "Option<hash>"),
        ("protocol_version", "u32"),
        ("config_digest", "hash"),
        ("first_height", "u64"),
        ("last_height", "u64"),
        ("pre_root", "hash"),
        ("post_root", "hash"),
        ("transitions", "u32"),
        ("entries_root", "hash"),
        ("calls", "u32"),
        ("calls_root", "hash"),
        ("call", "Option<Call>"),
        ("input_digest", "hash"),
        ("outcome_digest", "hash"),
        ("gas", "Gas"),
        ("witness_digest", "hash"),
        ("witness_size", "u64"),
        ("changes_digest", "hash"),
        ("changes_size", "u64"),
        ("codes_digest", "hash"),
        ("trace", "Option<Trace>"),
    ],
    "Trace": [("root", "hash"), ("length", "u64")],
    "Call": [
        ("transition", "u32"),
        ("source", "Source"),
        ("id", "hash"),
        ("action", "u32"),
        ("signer_id", "Account"),
        ("predecessor_id", "Account"),
        ("receiver_id", "Account"),
        ("method_name", "MethodName"),
        ("args_digest", "hash"),
        ("args_length", "u32"),
        ("deposit", "u128"),
        ("gas", "u64"),
        ("code_hash", "Option<hash>"),
    ],
    "Gas": [(kind, "u128") for kind in ("wasm", "storage", "cryptography", "other", "actions", "total")],
    "Block": [
        ("height", "u64"),
        ("timestamp", "u64"),
        ("prev_block_hash", "hash"),
        ("random_seed", "hash"),
        ("epoch_id", "hash"),
        ("epoch_height", "u64"),
        ("gas_price", "u128"),
        ("gas_limit", "Option<u64>"),
        ("is_new_chunk", "bool"),
        ("proof_size_limit", "Option<u64>"),
    ],
    "Validator": [("account_id", "Account"), ("stake", "u128")],
    "Carried": [("congestion_info", "CongestionInfo"), ("bandwidth_requests", "Vec<BandwidthRequest>")],
    "Congestion": [
        ("delayed_receipts_gas", "u128"),
        ("buffered_receipts_gas", "u128"),
        ("receipt_bytes", "u64"),
        ("allowed_shard", "u16"),
    ],
    "BandwidthRequest": [("to_shard", "u16"), ("bitmap", "[5]")],
    "Transition": [
        ("block", "Block"),
        ("forward", "bool"),
        ("transactions", "Vec<bytes>"),
        ("expired", "Vec<u32>"),
        ("receipts", "Vec<bytes>"),
        ("post_root", "hash"),
        ("outcomes", "Vec<Outcome>"),
        ("sent", "Vec<bytes>"),
        ("changes", "Vec<Change>"),
        ("chunk", "Chunk"),
        ("nodes", "Vec<u16>"),
        ("codes", "Vec<u16>"),
    ],
    "Change": [("key", "bytes"), ("value", "Option<bytes>")],
    "Code": [("hash", "hash"), ("code", "Option<bytes>")],
    "Attachment": [("kind", "u8"), ("data", "bytes")],
    "Outcome": [
        ("id", "hash"),
        ("receipt_ids", "Vec<hash>"),
        ("gas_burnt", "u64"),
        ("compute_usage", "u64"),
        ("tokens_burnt", "u128"),
        ("executor_id", "Account"),
        ("status", "Status"),
        ("logs", "Vec<String>"),
        ("metadata_version", "u8"),
        ("profile", "Option<Vec<ProfileRow>>"),
        ("contracts", "Vec<Contract>"),
    ],
    "ProfileRow": [("group", "u8"), ("number", "u8"), ("gas", "u64")],
    "Chunk": [
        ("carried", "Carried"),
        ("balance_stats", "BalanceStats"),
        ("validator_proposals", "Vec<Proposal>"),
        ("yield_timeouts", "Vec<YieldTimeout>"),
        ("delayed_receipts", "u64"),
    ],
    "BalanceStats": [
        (name, "u128")
        for name in (
            "tx_burnt_amount",
            "slashed_burnt_amount",
            "other_burnt_amount",
            "gas_deficit_amount",
            "subsidized_amount",
        )
    ],
    "Proposal": [("account_id", "Account"), ("public_key", "PublicKey"), ("stake", "u128")],
    "YieldTimeout": [("account_id", "Account"), ("data_id", "hash"), ("expires_at", "u64")],
    # nearcore's transactions and receipts.
    "TransactionV0": [
        ("signer_id", "Account"),
        ("public_key", "PublicKey"),
        ("nonce", "u64"),
        ("receiver_id", "Account"),
        ("block_hash", "hash"),
        ("actions", "Vec<Action>"),
    ],
    "TransactionV1": [
        ("signer_id", "Account"),
        ("public_key", "PublicKey"),
        ("nonce", "Nonce"),
        ("receiver_id", "Account"),
        ("block_hash", "hash"),
        ("actions", "Vec<Action>"),
        ("nonce_mode", "NonceMode"),
    ],
    "GasKeyNonce": [("nonce", "u64"), ("index", "u16")],
    "FunctionCall": [("method_name", "String"), ("args", "bytes"), ("gas", "u64"), ("deposit", "u128")],
    "Stake": [("stake", "u128"), ("public_key", "PublicKey")],
    "AddKey": [("public_key", "PublicKey"), ("nonce", "u64"), ("permission", "Permission")],
    "CallPermission": [("allowance", "Option<u128>"), ("receiver_id", "String"), ("method_names", "Vec<String>")],
    "GasKeyCalls": [("balance", "u128"), ("nonces", "u16"), ("permission", "CallPermission")],
    "GasKeyFull": [("balance", "u128"), ("nonces", "u16")],
    "Delegate": [
        ("sender_id", "Account"),
        ("receiver_id", "Account"),
        ("actions", "Vec<InnerAction>"),
        ("nonce", "u64"),
        ("max_block_height", "u64"),
        ("public_key", "PublicKey"),
        ("signature", "Signature"),
    ],
    "DelegateV2": [
        ("sender_id", "Account"),
        ("receiver_id", "Account"),
        ("actions", "Vec<InnerAction>"),
        ("nonce", "Nonce"),
        ("max_block_height", "u64"),
        ("public_key", "PublicKey"),
        ("signature", "Signature"),
    ],
    "DeployGlobal": [("code", "bytes"), ("mode", "NonceMode")],
    "StateInitAction": [("state_init", "StateInit"), ("deposit", "u128")],
    "StateInitV1": [("code", "GlobalId"), ("data", "Vec<Row>")],
    "Row": [("key", "bytes"), ("value", "bytes")],
    "KeyAmount": [("public_key", "PublicKey"), ("amount", "u128")],
    "Receipt": [("predecessor_id", "Account"), ("receiver_id", "Account"), ("receipt_id", "hash"), ("body", "Body")],
    "ActionBody": [
        ("signer_id", "Account"),
        ("signer_public_key", "PublicKey"),
        ("gas_price", "u128"),
        ("output", "Vec<Output>"),
        ("inputs", "Vec<hash>"),
        ("actions", "Vec<Action>"),
    ],
    "ActionBodyV2": [
        ("signer_id", "Account"),
        ("refund_to", "Option<Account>"),
        ("signer_public_key", "PublicKey"),
        ("gas_price", "u128"),
        ("output", "Vec<Output>"),
        ("inputs", "Vec<hash>"),
        ("actions", "Vec<Action>"),
    ],
    "Output": [("data_id", "hash"), ("receiver_id", "Account")],
    "DataBody": [("data_id", "hash"), ("data", "Option<bytes>")],
    "DistributionV1": [("id", "GlobalId"), ("shard", "u64"), ("delivered", "Vec<u64>"), ("code", "bytes")],
    "DistributionV2": [
        ("id", "GlobalId"),
        ("shard", "u64"),
        ("delivered", "Vec<u64>"),
        ("code", "bytes"),
        ("nonce", "u64"),
    ],
    "Counted": [("receipt", "Receipt"), ("gas", "u64"), ("size", "u64")],
    "AccountV1": [("amount", "u128"), ("locked", "u128"), ("code_hash", "hash"), ("storage_usage", "u64")],
    "AccountV2": [
        ("sentinel", "u128"),
        ("version", "Version0"),
        ("amount", "u128"),
        ("locked", "u128"),
        ("storage_usage", "u64"),
        ("contract", "Contract"),
    ],
}
NOTHING = "[0]"
ACTIONS = {
    0: NOTHING,
    1: "bytes",
    2: "FunctionCall",
    3: "u128",
    4: "Stake",
    5: "AddKey",
    6: "PublicKey",
    7: "Account",
    8: "Delegate",
    9: "DeployGlobal",
    10: "GlobalId",
    11: "StateInitAction",
    12: "KeyAmount",
    13: "KeyAmount",
    14: "VersionedDelegate",
}
UNIONS = {
    "CongestionInfo": {0: "Congestion"},
    "Status": {1: "bytes", 2: "bytes", 3: "hash"},
    "Contract": {0: NOTHING, 1: "hash", 2: "hash", 3: "Account"},
    "Nonce": {0: "u64", 1: "GasKeyNonce"},
    "NonceMode": {0: NOTHING, 1: NOTHING},
    "Source": {0: NOTHING, 1: NOTHING},
    "Version0": {0: NOTHING},
    "Permission": {0: "CallPermission", 1: NOTHING, 2: "GasKeyCalls", 3: "GasKeyFull"},
    "GlobalId": {0: "hash", 1: "Account"},
    "StateInit": {0: "StateInitV1"},
    "VersionedDelegate": {0: "DelegateV2"},
    "Action": ACTIONS,
    "InnerAction": {number: kind for number, kind in ACTIONS.items() if number not in (8, 14)},
    "Body": {
        0: "ActionBody",
        1: "DataBody",
        2: "ActionBody",
        3: "DataBody",
        4: "Distribution",
        5: "ActionBodyV2",
        6: "ActionBodyV2",
    },
    "Distribution": {0: "DistributionV1", 1: "DistributionV2"},
}
PUBLIC_KEYS = {0: 32, 1: 64, 2: 1952}
SIGNATURES = {0: 64, 1: 65, 2: 3309}

CONFIGURATIONS = {
    83: "46937a4e24ebe4895c15aedfbf0b0df279d25a3f485cee128c1fe1a6bb5e4af1",
    84: "5a5a892a376da31f4ebddfac5ca406d934f787d9b099c562a3d2828b6bbd9a4a",
    85: "ae79a8174bc09f71da54799f71de459816baa0ff78709eba9327b4c1e9d0380d",
    86: "7713f61c77fbac91be69de2fe8b18abc1f74ab08e5cd26805bbc0ce55ca16271",
}
MAX_BUNDLE, MAX_NODES, MAX_NODE, MAX_TRIE_NODE, MAX_NIBBLES = 67108864, 65536, 4259840, 8192, 4352
MAX_CODES, MAX_CODE, MAX_TRANSITIONS, MAX_ITEMS, MAX_VALIDATORS = 1024, 4194304, 4096, 1048576, 4096
MAX_TEXT, MAX_METHOD, MAX_MEMORY = 64, 256, 1152921504606846976
STORAGE = frozenset({*range(26, 48), 83, 84})
CRYPTOGRAPHY = frozenset({*range(15, 24), *range(53, 61), *range(65, 83), 85, 86})
ACCOUNT = re.compile(r"(?=.{2,64}$)[a-z0-9]+([-_.][a-z0-9]+)*\Z")
EMPTY = bytes(32)
RECEIPT_COLUMNS = {6: "PostponedReceipt", 7: "DelayedReceipt", 12: "PromiseYieldReceipt", 14: "BufferedReceipt"}


class MalformedError(Exception):
    """The bytes are no encoding of anything."""


class Verdict(Exception):
    """A check did not pass: its number, a code, and whether that contradicts the claim."""

    def __init__(self, check, code, what, *, told=True, bad_input=False):
        super().__init__(what)
        self.check, self.code, self.told, self.bad_input = check, code, told, bad_input


class Record(dict):
    """A record's fields, the bytes of each in `raw`."""

    def __init__(self):
        super().__init__()
        self.raw = {}


class Reader:
    """Reads values by their types, strictly: there is one encoding of one content."""

    def __init__(self, data, *, limit=None):
        self.data, self.at, self.left = data, 0, limit

    def take(self, count):
        """The next `count` bytes."""
        if self.at + count > len(self.data):
            raise MalformedError("the data ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size):
        """A little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def read(self, kind):
        """The value of type `kind` that comes next."""
        if kind in RECORDS:
            return self.record(kind)
        if kind in UNIONS:
            number = self.number(1)
            if number not in UNIONS[kind]:
                raise MalformedError(f"{kind} has no kind {number}")
            return number, self.read(UNIONS[kind][number])
        if kind[0] == "u" and kind[1:].isdigit():
            return self.number(int(kind[1:]) // 8)
        if kind[0] == "[":
            return self.take(int(kind[1:-1]))
        if kind.startswith("Vec<"):
            return self.vector(kind[4:-1])
        if kind.startswith("Option<"):
            return self.read(kind[7:-1]) if self.flag() else None
        return getattr(self, f"read_{kind}")()

    def record(self, kind):
        """A record."""
        found = Record()
        for name, inner in RECORDS[kind]:
            start = self.at
            found[name] = self.read(inner)
            found.raw[name] = self.data[start : self.at]
        return found

    def vector(self, kind):
        """A list; its items are counted against what is left of the budget."""
        count = self.number(4)
        if count > len(self.data) - self.at:
            raise MalformedError(f"{count} items in {len(self.data) - self.at} bytes")
        if self.left is not None:
            self.left -= count
            if self.left < 0:
                raise MalformedError("too many items")
        return [self.read(kind) for _ in range(count)]

    def flag(self):
        """A byte 0 or 1."""
        value = self.number(1)
        if value > 1:
            raise MalformedError("a flag is neither 0 nor 1")
        return value == 1

    def read_bool(self):
        return self.flag()

    def read_hash(self):
        return self.take(32)

    def read_bytes(self):
        return self.take(self.number(4))

    def read_String(self):
        try:
            return self.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError("text that is not UTF-8") from error

    def read_Text(self):
        return self.bounded(MAX_TEXT)

    def read_MethodName(self):
        return self.bounded(MAX_METHOD)

    def bounded(self, limit):
        """Text of at most `limit` bytes."""
        text = self.read_String()
        if len(text.encode()) > limit:
            raise MalformedError(f"text of more than {limit} bytes")
        return text

    def read_Account(self):
        text = self.read_String()
        if not ACCOUNT.match(text):
            raise MalformedError(f"no account id: {text[:80]!r}")
        return text

    def read_AccountOrNone(self):
        start = self.at
        if not self.read_String():
            return ""
        self.at = start
        return self.read_Account()

    def keyed(self, lengths):
        """A byte for the kind, and as many bytes as that kind has."""
        kind = self.number(1)
        if kind not in lengths:
            raise MalformedError(f"unknown kind {kind} of key or signature")
        return bytes([kind]) + self.take(lengths[kind])

    def read_PublicKey(self):
        return self.keyed(PUBLIC_KEYS)

    def read_Signature(self):
        signature = self.keyed(SIGNATURES)
        if signature[0] == 0 and signature[64] & 0xE0:
            raise MalformedError("an ed25519 signature out of range")
        return signature


def whole(data, kind):
    """The value that `data` is, all of it."""
    reader = Reader(data)
    value = reader.read(kind)
    if reader.at != len(data):
        raise MalformedError("bytes are left over")
    return value


def sha256(data):
    """SHA-256."""
    return hashlib.sha256(data).digest()


def digest(kind, data):
    """The digest of Borsh bytes as something of a kind."""
    return sha256(b"near-tee/" + kind.encode() + b"/v1\0" + data)


def number(value, size):
    """Little-endian bytes."""
    return value.to_bytes(size, "little")


def blob(data):
    """`bytes` in Borsh."""
    return number(len(data), 4) + data


def vector(items):
    """`Vec` of items that are Borsh already."""
    items = list(items)
    return number(len(items), 4) + b"".join(items)


def merkle_root(leaves):
    """nearcore's: pairs are hashed, a node without a sibling moves up."""
    row = list(leaves)
    if not row:
        return EMPTY
    while len(row) > 1:
        row = [sha256(row[at] + row[at + 1]) if at + 1 < len(row) else row[at] for at in range(0, len(row), 2)]
    return row[0]


# Checks 1 and 2.


def read_bundle(data):
    """The bundle in a file."""
    if not data.startswith(b"near-tee"):
        raise Verdict(1, "not-a-bundle", "it begins with other bytes", bad_input=True)
    if len(data) > MAX_BUNDLE:
        raise Verdict(1, "bundle-too-large", "it has too many bytes", bad_input=True)
    if len(data) >= 10 and data[8:10] != b"\1\0":
        raise Verdict(1, "unsupported-bundle-version", "another version", told=False)
    try:
        return decoded(data)
    except MalformedError as error:
        raise Verdict(2, "malformed-bundle", str(error), bad_input=True) from error


def decoded(data):
    """The bundle by its tables, its orders and its caps."""
    reader = Reader(data)
    bundle = Record()
    for name, kind in BUNDLE:
        if name in ("carried", "attachments"):
            reader.left = MAX_ITEMS if name == "carried" else reader.left
        if name in ("nodes", "codes"):
            kept, reader.left = reader.left, None
        start = reader.at
        if name in CAPS and int.from_bytes(data[start : start + 4], "little") > CAPS[name]:
            raise MalformedError(f"too many {name}")
        bundle[name] = reader.read(kind)
        bundle.raw[name] = data[start : reader.at]
        if name in ("nodes", "codes"):
            reader.left = kept
    if reader.at != len(data):
        raise MalformedError("bytes are left over")
    require_order(bundle)
    return bundle


CAPS = {"validators": MAX_VALIDATORS, "transitions": MAX_TRANSITIONS, "nodes": MAX_NODES, "codes": MAX_CODES}


def ascending(items, what):
    """Refuse items that are out of order or doubled."""
    if any(left >= right for left, right in itertools.pairwise(items)):
        raise MalformedError(f"{what} are out of order or doubled")


def require_order(bundle):
    """Everything that an encoding has to be beside what its types say."""
    ascending([one["account_id"] for one in bundle["validators"]], "validators")
    ascending(bundle["nodes"], "nodes")
    ascending([code["hash"] for code in bundle["codes"]], "contracts")
    ascending([(one["kind"], one["data"]) for one in bundle["attachments"]], "attachments")
    if any(len(node) > MAX_NODE for node in bundle["nodes"]):
        raise MalformedError("a node is too long")
    if any(code["code"] is not None and len(code["code"]) > MAX_CODE for code in bundle["codes"]):
        raise MalformedError("a contract is too long")
    for transition in bundle["transitions"]:
        for name, bound in (("expired", "transactions"), ("nodes", None), ("codes", None)):
            ascending(transition[name], name)
            count = len(transition[bound]) if bound else len(bundle[name])
            if transition[name] and transition[name][-1] >= count:
                raise MalformedError(f"{name} beyond what is there")
        ascending([change["key"] for change in transition["changes"]], "changes")
        for outcome in transition["outcomes"]:
            rows = outcome["profile"] or []
            ascending([(row["group"], row["number"]) for row in rows], "profile rows")
            if any(not row["gas"] or row["group"] > 2 or (row["group"] == 2 and row["number"]) for row in rows):
                raise MalformedError("a profile row that nobody writes")
            if outcome["status"][0] == 1:
                require_canonical(outcome["status"][1])


def require_canonical(data):
    """JSON with sorted names and without blanks."""
    try:
        value = json.loads(data)
    except ValueError as error:
        raise MalformedError("an error that is no JSON") from error
    if json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != data:
        raise MalformedError("an error in another spelling")


# Checks 3 to 5.


def gas_of(outcome):
    """Gas by kind, as a list like the fields of Gas."""
    left = total = outcome["gas_burnt"]
    rows = outcome["profile"] or []
    ext = [row for row in rows if row["group"] == 1]
    wanted = [
        sum(row["gas"] for row in rows if row["group"] == 2),
        sum(row["gas"] for row in ext if row["number"] in STORAGE),
        sum(row["gas"] for row in ext if row["number"] in CRYPTOGRAPHY),
        sum(row["gas"] for row in ext if row["number"] not in STORAGE | CRYPTOGRAPHY),
    ]
    kinds = []
    for gas in wanted:
        kinds.append(min(gas, left))
        left -= kinds[-1]
    return [*kinds, left, total]


def added(rows):
    """Column by column."""
    return [sum(column) for column in zip(*rows, strict=True)] or [0] * 6


def outcome_leaf(outcome):
    """nearcore's: the hashes of an outcome, as one."""
    kind, content = outcome["status"]
    ending = {1: b"\1", 2: b"\2" + blob(content), 3: b"\3" + content}[kind]
    partial = vector(outcome["receipt_ids"]) + outcome.raw["gas_burnt"] + outcome.raw["tokens_burnt"]
    partial += outcome.raw["executor_id"] + ending
    return sha256(vector([outcome["id"], sha256(partial), *(sha256(log.encode()) for log in outcome["logs"])]))


class Entry:
    """What stands under `entries_root` for one transition."""

    def __init__(self, bundle, position, root, hashes):
        transition = bundle["transitions"][position]
        raw = transition.raw
        outcomes = transition["outcomes"]
        self.gas = added([gas_of(outcome) for outcome in outcomes])
        if self.gas[-1] >= 2**64:
            raise Verdict(5, "gas-mismatch", "more gas than a chunk can burn")
        self.changes_digest = digest("changes", raw["changes"])
        self.written = sum(len(one["key"]) + len(one["value"] or b"") for one in transition["changes"])
        nodes = transition["nodes"]
        self.input = b"".join(
            (
                raw["block"],
                raw["forward"],
                number(len(transition["transactions"]), 4),
                digest("transactions", raw["transactions"] + raw["expired"]),
                number(len(transition["receipts"]), 4),
                digest("receipts", raw["receipts"]),
            )
        )
        self.outcome = b"".join(
            (
                transition["post_root"],
                number(len(outcomes), 4),
                merkle_root(map(outcome_leaf, outcomes)),
                digest("outcomes", raw["outcomes"]),
                number(len(transition["sent"]), 4),
                digest("receipts", raw["sent"]),
                number(len(transition["changes"]), 4),
                self.changes_digest,
                digest("chunk", raw["chunk"]),
                number(self.gas[-1], 8),
            )
        )
        witness = b"".join(
            (
                number(len(nodes), 4),
                number(sum(len(bundle["nodes"][node]) for node in nodes), 8),
                number(self.written, 8),
                digest("node-hashes", vector(hashes[node] for node in nodes)),
            )
        )
        gas = b"".join(number(kind, 16) for kind in self.gas)
        self.leaf = digest("entry", number(position, 4) + root + self.input + self.outcome + witness + gas)


def check_claim(bundle, hashes):
    """Checks 3, 4 and 5."""
    claim = bundle["claim"]
    version = claim["protocol_version"]
    if version not in CONFIGURATIONS:
        raise Verdict(3, "unsupported-protocol-version", f"protocol version {version}", told=False)
    if claim["config_digest"].hex() != CONFIGURATIONS[version]:
        raise Verdict(3, "config-mismatch", "another configuration")
    if digest("claim", bundle.raw["claim"]) != bundle["claim_digest"]:
        raise Verdict(4, "claim-digest-mismatch", "the digest is not that of the claim")
    transitions = bundle["transitions"]
    if not transitions:
        raise Verdict(5, "content-mismatch", "no block")
    entries = [Entry(bundle, at, root, hashes) for at, root in enumerate(roots(bundle))]
    statement = b"".join(
        (
            claim.raw["network"],
            claim.raw["protocol_version"],
            claim["config_digest"],
            digest("validators", bundle.raw["validators"] + bundle.raw["minimum_stake"]),
            digest("carried", bundle.raw["carried"]),
            claim["pre_root"],
            vector(entry.input for entry in entries),
        )
    )
    derived = {
        "first_height": transitions[0]["block"]["height"],
        "last_height": transitions[-1]["block"]["height"],
        "post_root": transitions[-1]["post_root"],
        "transitions": len(transitions),
        "entries_root": merkle_root(entry.leaf for entry in entries),
        "input_digest": digest("input", statement),
        "outcome_digest": digest("outcome", vector(one.outcome for one in entries)),
        "witness_digest": digest("nodes", bundle.raw["nodes"]),
        "witness_size": sum(map(len, bundle["nodes"])),
        "changes_digest": digest("run-changes", vector(entry.changes_digest for entry in entries)),
        "changes_size": sum(entry.written for entry in entries),
        "codes_digest": digest("codes", vector(code["hash"] for code in bundle["codes"])),
    }
    gas = list(claim["gas"].values())
    if gas != added([entry.gas for entry in entries]):
        raise Verdict(5, "content-mismatch", "gas")
    for name, value in derived.items():
        if claim[name] != value:
            raise Verdict(5, "content-mismatch", name)


def roots(bundle):
    """The root that each transition starts from."""
    return [bundle["claim"]["pre_root"], *(one["post_root"] for one in bundle["transitions"])][
        : len(bundle["transitions"])
    ]


# Check 6.


def transaction_of(data):
    """A signed transaction, with its hash and version."""
    version = 1 if data[1:2] != b"\0" and data[:1] == b"\1" else 0
    reader = Reader(data)
    if version:
        reader.take(1)
    elif data[1:2] != b"\0":
        raise MalformedError("unknown version of a transaction")
    transaction = reader.record(f"TransactionV{version}")
    end = reader.at
    reader.read_Signature()
    if reader.at != len(data):
        raise MalformedError("bytes are left over")
    require_sorted(transaction["actions"])
    return sha256(data[:end]), transaction


def receipt_of(data):
    """A receipt."""
    receipt = whole(data, "Receipt")
    kind, body = receipt["body"]
    if kind in (0, 2, 5, 6):
        require_sorted(body["actions"])
    return receipt


def require_sorted(actions):
    """The rows of a state init are a map: ascending, none twice."""
    for kind, content in actions:
        if kind == 11:
            try:
                ascending([row["key"] for row in content["state_init"][1]["data"]], "rows of a state init")
            except MalformedError as error:
                raise MalformedError(str(error)) from error
        if kind in (8, 14):
            require_sorted((content if kind == 8 else content[1])["actions"])


def check_inputs(bundle):
    """Check 6: the records of each transition."""
    parsed, height, before = [], -1, None
    for transition in bundle["transitions"]:
        block = transition["block"]
        if block["height"] <= height:
            raise Verdict(6, "height-order", "heights do not rise")
        height = block["height"]
        if transition["forward"] and (before is None or (before and not block["is_new_chunk"])):
            raise Verdict(6, "bad-forward", "nobody to forward from")
        if not block["is_new_chunk"] and (transition["transactions"] or transition["receipts"]):
            raise Verdict(6, "bad-inputs", "inputs without a chunk")
        if before is not None and not transition["forward"] and transition["receipts"][: len(before)] == before:
            raise Verdict(6, "bad-forward", "repeated instead of forwarded")
        before = transition["sent"]
        try:
            parsed.append(
                {
                    "transactions": [transaction_of(data) for data in transition["transactions"]],
                    "receipts": [receipt_of(data) for data in transition["receipts"]],
                    "sent": [receipt_of(data) for data in transition["sent"]],
                }
            )
        except MalformedError as error:
            raise Verdict(6, "bad-inputs", str(error)) from error
    return parsed


# The trie: nodes as nearcore writes them.


class MissingError(Exception):
    """A node that is needed is not there."""


class Node:
    """A leaf, an extension or a branch; `children` hold hashes, or nodes that were changed or read."""

    def __init__(self, kind, path="", value=None, children=None, memory=None):
        self.kind, self.path, self.value, self.children = kind, path, value, children or {}
        self.memory = self.direct() if memory is None else memory

    def direct(self):
        """Memory usage without what is below."""
        value = 0 if self.value is None else 50 + self.value[0]
        path = 0 if self.kind == "branch" else 2 * (1 + len(self.path) // 2)
        return 50 + path + value

    def encoded(self, child_hash):
        """The bytes of the node; `child_hash` gives the hash of a child."""
        memory = number(self.memory, 8)
        if self.kind == "branch":
            mask = sum(1 << nibble for nibble in self.children)
            hashes = b"".join(child_hash(self.children[nibble]) for nibble in sorted(self.children))
            head = b"\1" if self.value is None else b"\2" + number(self.value[0], 4) + self.value[1]
            return head + number(mask, 2) + hashes + memory
        flag = (
            ("2" if self.kind == "leaf" else "0") + "0"
            if len(self.path) % 2 == 0
            else "3"
            if self.kind == "leaf"
            else "1"
        )
        path = blob(bytes.fromhex(flag + self.path))
        if self.kind == "leaf":
            return b"\0" + path + number(self.value[0], 4) + self.value[1] + memory
        return b"\3" + path + child_hash(self.children[0]) + memory


def node_of(data):
    """The node in `data`. Raises `MalformedError`."""
    reader = Reader(data)
    kind = reader.number(1)
    if kind > 3:
        raise MalformedError("unknown kind of node")
    path, value, children = "", None, {}
    if kind in (0, 3):
        digits = reader.read_bytes().hex()
        even, odd = ("20", "3") if kind == 0 else ("00", "1")
        if digits[:2] == even:
            path = digits[2:]
        elif digits[:1] == odd:
            path = digits[1:]
        else:
            raise MalformedError("the flag of a path")
        if kind == 3 and not path:
            raise MalformedError("an extension over nothing")
    if kind in (0, 2):
        value = reader.number(4), reader.take(32)
    if kind in (1, 2):
        mask = reader.number(2)
        children = {nibble: reader.take(32) for nibble in range(16) if mask >> nibble & 1}
    if kind == 3:
        children = {0: reader.take(32)}
    memory = reader.number(8)
    if reader.at != len(data):
        raise MalformedError("bytes are left over in a node")
    return Node(("leaf", "branch", "branch", "extension")[kind], path, value, children, memory)


class Trie:
    """The part of a state that a transition names."""

    def __init__(self, items, root):
        self.items, self.root = items, root

    def node(self, reference):
        """The node behind a child."""
        if isinstance(reference, Node):
            return reference
        if reference not in self.items:
            raise MissingError(reference.hex())
        return node_of(self.items[reference])

    def get(self, key):
        """The value reference of `key`, `None` when it has none."""
        path, reference = key.hex(), self.root
        if reference == EMPTY:
            return None
        while True:
            node = self.node(reference)
            if node.kind == "leaf":
                return node.value if node.path == path else None
            if node.kind == "extension":
                if not path.startswith(node.path):
                    return None
                path, reference = path[len(node.path) :], node.children[0]
            elif not path:
                return node.value
            elif int(path[0], 16) not in node.children:
                return None
            else:
                path, reference = path[1:], node.children[int(path[0], 16)]

    def value(self, reference):
        """The bytes of a value."""
        if reference[1] not in self.items:
            raise MissingError(reference[1].hex())
        return self.items[reference[1]]

    def changed_root(self, changes):
        """The root after `changes`, in ascending order."""
        root = None if self.root == EMPTY else self.node(self.root)
        for key, value in changes:
            if value is None:
                root = None if root is None else self.removed(root, key.hex())
            else:
                reference = len(value), sha256(value)
                root = Node("leaf", key.hex(), reference) if root is None else self.inserted(root, key.hex(), reference)
        return EMPTY if root is None else self.hash(root)

    def hash(self, reference):
        """The hash of a child, changed or not."""
        return reference if isinstance(reference, bytes) else sha256(reference.encoded(self.hash))

    def inserted(self, node, path, value):
        """`node` with a value at `path` below it."""
        if node.kind == "branch":
            if not path:
                return Node("branch", "", value, node.children, node.memory - node.direct() + self.branch_cost(value))
            nibble = int(path[0], 16)
            if nibble not in node.children:
                return self.with_child(node, nibble, Node("leaf", path[1:], value), 0)
            child = self.node(node.children[nibble])
            return self.with_child(node, nibble, self.inserted(child, path[1:], value), child.memory)
        common = 0
        while common < min(len(path), len(node.path)) and path[common] == node.path[common]:
            common += 1
        if node.kind == "leaf" and node.path == path:
            return Node("leaf", path, value)
        if node.kind == "extension" and common == len(node.path):
            child = self.inserted(self.node(node.children[0]), path[common:], value)
            return self.extended(node.path, child)
        branch = self.split(node, common)
        return self.extended(path[:common], self.inserted(branch, path[common:], value))

    def split(self, node, common):
        """A leaf or extension as a branch behind the first `common` nibbles of its path."""
        rest = node.path[common:]
        branch = Node("branch")
        if node.kind == "leaf":
            if not rest:
                return Node("branch", "", node.value)
            return self.with_child(branch, int(rest[0], 16), Node("leaf", rest[1:], node.value), 0)
        below = node.memory - node.direct()
        child = node.children[0]
        if len(rest) == 1:
            return Node("branch", "", None, {int(rest, 16): child}, branch.memory + below)
        inner = Node("extension", rest[1:], None, {0: child}, 0)
        inner.memory = inner.direct() + below
        return self.with_child(branch, int(rest[0], 16), inner, 0)

    @staticmethod
    def branch_cost(value):
        """Direct memory usage of a branch."""
        return 50 + (0 if value is None else 50 + value[0])

    @staticmethod
    def with_child(node, nibble, child, memory_before):
        """A branch with another child, or one more."""
        return Node(
            "branch", "", node.value, {**node.children, nibble: child}, node.memory - memory_before + child.memory
        )

    @staticmethod
    def extended(path, child):
        """`child` behind `path`; paths of leaves and extensions grow."""
        if not path:
            return child
        if child.kind == "leaf":
            return Node("leaf", path + child.path, child.value)
        if child.kind == "extension":
            longer = Node("extension", path + child.path, None, child.children, 0)
            longer.memory = longer.direct() + child.memory - child.direct()
            return longer
        node = Node("extension", path, None, {0: child}, 0)
        node.memory = node.direct() + child.memory
        return node

    def removed(self, node, path):
        """`node` without the value at `path` below it, `None` when nothing is left; itself when there is none."""
        if node.kind == "leaf":
            return None if node.path == path else node
        if node.kind == "extension":
            if not path.startswith(node.path):
                return node
            before = self.node(node.children[0])
            child = self.removed(before, path[len(node.path) :])
            return node if child is before else None if child is None else self.extended(node.path, child)
        if not path:
            if node.value is None:
                return node
            return self.squashed(Node("branch", "", None, node.children, node.memory - node.direct() + 50))
        nibble = int(path[0], 16)
        if nibble not in node.children:
            return node
        before = self.node(node.children[nibble])
        child = self.removed(before, path[1:])
        if child is before:
            return node
        if child is not None:
            return self.with_child(node, nibble, child, before.memory)
        rest = {one: reference for one, reference in node.children.items() if one != nibble}
        return self.squashed(Node("branch", "", node.value, rest, node.memory - before.memory))

    def squashed(self, node):
        """A branch as the shortest node that has what it has."""
        if not node.children:
            return None if node.value is None else Node("leaf", "", node.value)
        if node.value is None and len(node.children) == 1:
            ((nibble, reference),) = node.children.items()
            return self.extended(f"{nibble:x}", self.node(reference))
        return node


def check_witness(bundle, hashes):
    """Checks 7, 8 and 9: the tries of all transitions."""
    used, tries = set(), []
    for transition, root in zip(bundle["transitions"], roots(bundle), strict=True):
        items = {hashes[node]: bundle["nodes"][node] for node in transition["nodes"]}
        try:
            walk(root, items)
        except MalformedError as error:
            raise Verdict(7, "malformed-node", str(error)) from error
        used.update(transition["nodes"])
        tries.append(Trie(items, root))
    if len(used) != len(bundle["nodes"]):
        raise Verdict(7, "superfluous-node", "a node belongs to no transition")
    for code in bundle["codes"]:
        if code["code"] is not None and sha256(code["code"]) != code["hash"]:
            raise Verdict(8, "code-mismatch", "a contract has another hash")
    if len({place for one in bundle["transitions"] for place in one["codes"]}) != len(bundle["codes"]):
        raise Verdict(8, "superfluous-code", "a contract belongs to no transition")
    for transition, trie in zip(bundle["transitions"], tries, strict=True):
        changes = [(change["key"], change["value"]) for change in transition["changes"]]
        if any(2 * len(key) > MAX_NIBBLES for key, _ in changes):
            raise Verdict(9, "impossible-key", "a key is too long")
        try:
            root = trie.changed_root(changes)
        except MissingError as error:
            raise Verdict(9, "missing-node", str(error)) from error
        if root != transition["post_root"]:
            raise Verdict(9, "root-mismatch", "the changes lead to another root")
    return tries


def walk(root, items):
    """Check 7 for one transition."""
    reached, walked, pending = set(), {root}, [(root, 0)]
    if root == EMPTY:
        pending = []
    elif root not in items:
        raise Verdict(7, "missing-node", "the root is not there")
    while pending:
        name, depth = pending.pop()
        reached.add(name)
        node = sound_node(items[name])
        depth += 1 if node.kind == "branch" else len(node.path)
        if depth > MAX_NIBBLES:
            raise Verdict(7, "impossible-node", "too deep")
        if node.value is not None and node.value[1] in items:
            if len(items[node.value[1]]) != node.value[0]:
                raise Verdict(7, "impossible-node", "a value of another length")
            reached.add(node.value[1])
        known = [child for _, child in sorted(node.children.items()) if child in items]
        below = 0
        for child in known:
            inner = sound_node(items[child])
            below += inner.memory
            if node.kind == "extension" and inner.kind != "branch":
                raise Verdict(7, "impossible-node", "an extension that leads to no branch")
            if child not in walked:
                walked.add(child)
                pending.append((child, depth))
        least = node.direct() + below
        if node.memory < least or (node.memory != least and len(known) == len(node.children)):
            raise Verdict(7, "impossible-node", "another memory usage")
    if len(reached) != len(items):
        raise Verdict(7, "superfluous-node", "a node lies under no path")


def sound_node(data):
    """A node that a trie could have."""
    if len(data) > MAX_TRIE_NODE:
        raise Verdict(7, "impossible-node", "too many bytes")
    node = node_of(data)
    if node.memory > MAX_MEMORY:
        raise Verdict(7, "impossible-node", "too much memory")
    if node.kind == "branch" and len(node.children) + (node.value is not None) < 2:
        raise Verdict(7, "impossible-node", "a branch that leads one way only")
    return node


# Checks 10 to 13.


def contract_before(trie, account_id):
    """The contract that an account names in a state."""
    reference = trie.get(b"\0" + account_id.encode())
    if reference is None:
        return 0, b""
    data = trie.value(reference)
    if len(data) == 72 and data[:16] != b"\xff" * 16:
        found = whole(data, "AccountV1")["code_hash"]
        return (0, b"") if found == EMPTY else (1, found)
    return whole(data, "AccountV2")["contract"]


def hash_of(contract, trie, written):
    """The hash of a contract, `None` without one; `written` are the keys that the block changed."""
    kind, content = contract
    if kind in (0, 1, 2):
        return None if kind == 0 else content
    row = b"\x12\1" + blob(content.encode())
    if row in written:
        return None
    try:
        shared = trie.get(row)
    except MissingError:
        return None
    return None if shared is None else shared[1]


class Contracts:
    """The contracts of calls, by section 5 of the format."""

    def __init__(self, bundle, parsed, tries):
        self.tries, self.places, self.first = tries, {}, {}
        self.written = [{change["key"] for change in one["changes"]} for one in bundle["transitions"]]
        for position, transition in enumerate(bundle["transitions"]):
            transactions = {name for name, _ in parsed[position]["transactions"]}
            for outcome in transition["outcomes"]:
                self.places.setdefault(outcome["id"], []).append((position, outcome))
                if outcome["id"] not in transactions:
                    self.first.setdefault((position, outcome["executor_id"]), outcome["id"])

    def of_call(self, receipt_id, action, account_id, behind_calls):
        """`code_hash` of a call."""
        places = self.places.get(receipt_id, [])
        if len(places) != 1:
            return None
        position, outcome = places[0]
        told = outcome["contracts"][action : action + 1] if outcome["metadata_version"] >= 4 else None
        try:
            if behind_calls and self.first.get((position, account_id)) == receipt_id:
                before = [contract_before(self.tries[position], account_id)]
                told = before if told in (None, before) else []
            contract = told[0] if told else (0, b"")
            return hash_of(contract, self.tries[position], self.written[position])
        except MissingError as error:
            raise Verdict(10, "missing-node", str(error)) from error
        except MalformedError as error:
            raise Verdict(10, "bad-input", str(error)) from error


def check_calls(bundle, parsed, tries):
    """Check 10."""
    claim, contracts, calls = bundle["claim"], Contracts(bundle, parsed, tries), []
    for position, records in enumerate(parsed):
        became = {
            one["id"]: one["status"][1] for one in bundle["transitions"][position]["outcomes"] if one["status"][0] == 3
        }
        entered = [
            (0, name, body["signer_id"], body["signer_id"], body["receiver_id"], body["actions"], became.get(name))
            for name, body in records["transactions"]
        ]
        for receipt in records["receipts"]:
            kind, body = receipt["body"]
            if kind in (0, 2, 5, 6):
                name, sender, receiver = receipt["receipt_id"], receipt["predecessor_id"], receipt["receiver_id"]
                entered.append((1, name, body["signer_id"], sender, receiver, body["actions"], name))
        for source, name, signer, predecessor, receiver, actions, receipt_id in entered:
            behind_calls = True
            for at, (kind, call) in enumerate(actions):
                if kind == 2:
                    code = contracts.of_call(receipt_id, at, receiver, behind_calls)
                    calls.append((position, source, name, at, signer, predecessor, receiver, call, code))
                behind_calls = behind_calls and kind == 2
    encoded = [encoded_call(*call) for call in calls]
    single = encoded[0] if len(calls) == 1 and len(calls[0][7]["method_name"].encode()) <= MAX_METHOD else None
    said = claim.raw["call"]
    fits = (claim["calls"], claim["calls_root"]) == (len(calls), merkle_root(digest("call", one) for one in encoded))
    if not fits or said != (b"\0" if single is None else b"\1" + single):
        raise Verdict(10, "call-mismatch", "the calls are not those of the inputs")


def encoded_call(position, source, name, at, signer, predecessor, receiver, call, code):
    """Borsh of a Call."""
    texts = b"".join(blob(text.encode()) for text in (signer, predecessor, receiver, call["method_name"]))
    return b"".join(
        (
            number(position, 4),
            bytes([source]),
            name,
            number(at, 4),
            texts,
            sha256(call["args"]),
            number(len(call["args"]), 4),
            number(call["deposit"], 16),
            number(call["gas"], 8),
            b"\0" if code is None else b"\1" + code,
        )
    )


def receipt_in_row(data):
    """The id of the receipt that a row of a queue holds, plain or counted."""
    try:
        if data[:2] == b"\xff\xff":
            if data[2:3] not in (b"\0", b"\1"):
                raise MalformedError("unknown version of a queued receipt")
            return whole(data[3:], "Counted")["receipt"]["receipt_id"]
        return whole(data, "Receipt")["receipt_id"]
    except MalformedError as error:
        raise Verdict(0, "bad-row", str(error)) from error


def is_receipt_row(key):
    """Whether a key is a row that holds a receipt."""
    if key[:1] not in (b"\6", b"\7", b"\x0c", b"\x0e"):
        return False
    if key[0] == 7:
        return len(key) == 9
    if key[0] == 14:
        return len(key) == 11
    account, comma, rest = key[1:-33], key[-33:-32], key[-32:]
    try:
        return comma == b"," and len(rest) == 32 and bool(ACCOUNT.match(account.decode()))
    except UnicodeDecodeError:
        return False


def check_receipts(bundle, parsed, tries):
    """Checks 11 and 12."""
    forwarded, taken_of = [], []
    for transition, records, trie in zip(bundle["transitions"], parsed, tries, strict=True):
        named = [receipt_id for outcome in transition["outcomes"] for receipt_id in outcome["receipt_ids"]]
        taken = taken_out(transition, trie)
        taken_of.append((named, taken))
        causes = {name for name, _ in records["transactions"]} | {one["receipt_id"] for one in records["receipts"]}
        causes |= {*named, *taken, *(forwarded if transition["forward"] else ())}
        ids = [outcome["id"] for outcome in transition["outcomes"]]
        if len(set(ids)) != len(ids) or not set(ids) <= causes:
            raise Verdict(11, "stray-outcome", "an outcome of nothing, or twice")
        forwarded = [receipt["receipt_id"] for receipt in records["sent"]]
    for transition, records, (named, taken) in zip(bundle["transitions"], parsed, taken_of, strict=True):
        rows = [
            one["value"] for one in transition["changes"] if one["value"] is not None and is_receipt_row(one["key"])
        ]
        try:
            stored = {receipt_in_row(row) for row in rows}
        except Verdict as verdict:
            raise Verdict(12, verdict.code, str(verdict)) from verdict
        there = {one["receipt_id"] for one in records["sent"]} | {one["id"] for one in transition["outcomes"]} | stored
        if not set(named) <= there:
            raise Verdict(12, "lost-receipt", "a receipt is lost")
        known = {*named, *taken}
        for receipt in records["sent"]:
            if receipt["body"][0] in (0, 2, 5, 6) and receipt["receipt_id"] not in known:
                raise Verdict(12, "stray-receipt", "a receipt was sent by nothing")


def taken_out(transition, trie):
    """Ids of the receipts that a transition took out of the state."""
    found = set()
    for change in transition["changes"]:
        if change["value"] is None and is_receipt_row(change["key"]):
            try:
                reference = trie.get(change["key"])
                if reference is not None:
                    found.add(receipt_in_row(trie.value(reference)))
            except MissingError as error:
                raise Verdict(11, "missing-node", str(error)) from error
            except Verdict as verdict:
                raise Verdict(11, verdict.code, str(verdict)) from verdict
    return found


def check_gas(bundle):
    """Check 13."""
    for transition in bundle["transitions"]:
        for outcome in transition["outcomes"]:
            if sum(row["gas"] for row in outcome["profile"] or []) > outcome["gas_burnt"]:
                raise Verdict(13, "gas-mismatch", "a profile exceeds its outcome")
    gas = list(bundle["claim"]["gas"].values())
    if sum(gas[:-1]) != gas[-1]:
        raise Verdict(13, "gas-mismatch", "gas does not add up")


def verify(data):
    """Make checks 1 to 13 of the bundle in `data`. Raises `Verdict` with the first that does not pass."""
    bundle = read_bundle(data)
    if any(one["kind"] not in (1, 2, 3, 4) for one in bundle["attachments"]):
        raise Verdict(1, "unsupported-attachments", "an attachment of an unknown kind", told=False)
    hashes = [sha256(node) for node in bundle["nodes"]]
    check_claim(bundle, hashes)
    parsed = check_inputs(bundle)
    tries = check_witness(bundle, hashes)
    check_calls(bundle, parsed, tries)
    check_receipts(bundle, parsed, tries)
    check_gas(bundle)


def main(arguments):
    """Verify the file that is named; gives the exit code."""
    names = [argument for argument in arguments if argument != "--json"]
    if len(names) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    with open(names[0], "rb") as file:
        data = file.read(MAX_BUNDLE + 1)
    check = code = None
    verdict, exit_code, what = "consistent", 0, "checks 1 to 13 passed; nothing was executed"
    try:
        verify(data)
    except Verdict as error:
        check, code, what = error.check, error.code, str(error)
        verdict = "inconclusive" if error.bad_input or not error.told else "contradicted"
        exit_code = 6 if error.bad_input else 4 if error.told else 5
    if "--json" in arguments:
        print(json.dumps({"verdict": verdict, "check": check, "code": code}))
    else:
        print(f"{verdict}: {what}" + ("" if check is None else f" (check {check}, {code})"))
    return exit_code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
