"""Files that are no bundle, or a bundle spelt in another way: checks 1 and 2."""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from near_tee_cli.primitives.schema.wire import blob, string, u16, u32, vector
from near_tee_cli.proof.bundle import Bundle, decode_bundle, encode_bundle, encode_transition
from near_tee_cli.proof.limits import MAX_CODES, MAX_NODES, MAX_TRANSITIONS, MAX_VALIDATORS
from near_tee_cli.proof.results import encode_outcome
from tests.reject.entry import Entry
from tests.reject.parts import Parts, claim_pieces, parts_of
from tests.support.bundles import small_proof

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def entries() -> Iterator[Entry]:
    """All of them."""
    data = small_proof().data
    yield from _foreign(data)
    yield from _versions(data)
    yield from _spellings(data)
    yield from _orders(data)
    yield from _lengths(data)
    yield from _names(data)


def _foreign(data: bytes) -> Iterator[Entry]:
    def no_bundle(name: str, reason: str, content: bytes, *threats: str) -> Entry:
        return Entry(name, threats, reason, content, 1, "not-a-bundle")

    yield no_bundle("file-empty", "an empty file proves nothing", b"", "B3")
    yield no_bundle("file-text", "a text is no bundle", b"near tee\n", "B3")
    yield no_bundle("file-half-a-magic", "the magic is cut off", data[:7], "B3")
    yield no_bundle("file-magic-elsewhere", "the magic stands behind a byte", b"\0" + data, "B3")
    yield no_bundle("file-upper-case-magic", "the magic is in upper case", data[:8].upper() + data[8:], "B3")
    yield no_bundle("file-byte-order-mark", "a byte order mark stands before it", b"\xef\xbb\xbf" + data, "B3")
    yield no_bundle("archive-gzip", "compressed bundles are not read", gzip.compress(data, mtime=0), "B2")
    yield no_bundle("archive-zlib", "compressed bundles are not read", zlib.compress(data), "B2")
    bomb = _ZSTD_MAGIC + bytes.fromhex("a4 00 00 00 40") + b"\x01\x00\x00"
    yield no_bundle("archive-zstd-bomb", "a frame that announces a gigabyte is not read", bomb, "B2", "B15")
    yield no_bundle("archive-zip", "archives are not read", _zip({"bundle.ntb": data}), "B2")
    yield no_bundle("archive-zip-slip", "a path inside an archive is not followed", _zip({"../evil": data}), "B1", "B2")
    yield no_bundle("archive-tar", "archives are not read", _tar("/etc/passwd", data), "B1", "B2")


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def _tar(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _versions(data: bytes) -> Iterator[Entry]:
    parts = parts_of(data)
    for version in (0, 2, 256):
        yield Entry(
            f"version-{version}",
            ("B3",),
            f"format version {version} has rules that are not known here",
            parts._replace(version=u16(version)).data(),
            1,
            "unsupported-bundle-version",
        )
    for kind in (0, 200, 255):
        yield Entry(
            f"attachment-kind-{kind}",
            ("B9",),
            "an attachment of a kind that is not known could mean anything",
            parts._replace(attachments=u32(1) + bytes((kind,)) + blob(b"?")).data(),
            1,
            "unsupported-attachments",
        )


def _malformed(name: str, reason: str, data: bytes, *threats: str) -> Entry:
    return Entry(name, threats or ("B3",), reason, data, 2, "malformed-bundle")


def _spellings(data: bytes) -> Iterator[Entry]:
    bundle, parts = decode_bundle(data), parts_of(data)
    yield _malformed("cut-after-magic", "nothing follows the magic", data[:10])
    yield _malformed("cut-in-the-claim", "the file ends inside the claim", data[:100])
    yield _malformed("cut-in-a-node", "the file ends inside a node", data[:-100])
    yield _malformed("cut-by-a-byte", "the last byte is missing", data[:-1])
    yield _malformed("byte-left-over", "a byte follows the end", data + b"\0", "B3", "B9")
    yield _malformed("bundle-twice", "another bundle follows the end", data + data, "B3", "B9")
    yield _malformed("zeros-left-over", "zeros follow the end", data + bytes(4096), "B3", "B9")
    claim = claim_pieces(bundle)
    for name, piece, reason in (
        ("option-byte-two", {"previous": b"\2" + claim["previous"][1:]}, "an option byte is neither 0 nor 1"),
        ("option-byte-all-ones", {"previous": b"\xff" + claim["previous"][1:]}, "an option byte is neither 0 nor 1"),
        ("text-not-utf-8", {"network": u32(2) + b"\xff\xfe"}, "the network is no UTF-8 text"),
        ("text-surrogate", {"network": u32(3) + b"\xed\xa0\x80"}, "the network holds half a surrogate pair"),
        ("text-overlong", {"network": u32(2) + b"\xc0\xaf"}, "the network holds an overlong spelling"),
        ("text-too-long", {"network": string("n" * 65)}, "the network is longer than a name may be"),
    ):
        yield _malformed(name, reason, parts._replace(claim=b"".join({**claim, **piece}.values())).data())
    yield _malformed(
        "flag-byte-two",
        "a flag is neither 0 nor 1",
        parts._replace(transitions=_with_byte(parts.transitions, 4 + _FLAG, 2)).data(),
    )
    yield _malformed(
        "union-without-kind",
        "the congestion info is of a kind that does not exist",
        parts._replace(carried=b"\1" + parts.carried[1:]).data(),
    )
    claim_bytes = parts.claim
    source = claim_bytes.index(bundle.claim.call.id) - 1
    yield _malformed(
        "call-source-two",
        "a call came neither by a transaction nor by a receipt",
        parts._replace(claim=_with_byte(claim_bytes, source, 2)).data(),
        "B3",
        "B8",
    )


_FLAG = 8 + 8 + 32 + 32 + 32 + 8 + 16 + 9
"""Where `is_new_chunk` of a block with a gas limit stands."""


def _with_byte(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


def _orders(data: bytes) -> Iterator[Entry]:
    bundle = decode_bundle(data)
    content = bundle.content
    first, second = content.transitions
    nodes, changes = content.nodes, first.changes

    def malformed(name: str, reason: str, *threats: str, **fields) -> Entry:
        return _malformed(name, reason, encode_bundle(bundle._replace(content=content._replace(**fields))), *threats)

    def in_first(name: str, reason: str, *threats: str, **fields) -> Entry:
        return malformed(name, reason, *threats, transitions=(first._replace(**fields), second))

    yield malformed("nodes-turned-around", "nodes stand in another order", nodes=tuple(reversed(nodes)))
    yield malformed("node-doubled", "a node stands twice", "B5", nodes=tuple(sorted((*nodes, nodes[3]))))
    yield malformed("nodes-swapped", "two nodes are swapped", "B3", nodes=(nodes[1], nodes[0], *nodes[2:]))
    yield malformed("code-doubled", "a contract stands twice", "B5", codes=content.codes * 2)
    yield malformed("validators-doubled", "a validator stands twice", "B5", validators=(("v.near", 1), ("v.near", 2)))
    yield malformed(
        "validators-out-of-order", "validators stand in another order", validators=(("w.near", 1), ("v.near", 2))
    )
    yield in_first("changes-turned-around", "changes stand in another order", changes=tuple(reversed(changes)))
    yield in_first("change-doubled", "a key is changed twice", "B5", changes=(*changes[:1], *changes))
    yield in_first("expired-doubled", "a transaction expires twice", expired=(0, 0))
    yield in_first("expired-beyond", "a transaction expires that is not there", expired=(9,))
    yield in_first("node-named-twice", "a node is named twice", "B5", nodes=(first.nodes[0], *first.nodes))
    yield in_first("node-named-beyond", "a node is named that is not there", nodes=(*first.nodes, len(nodes)))
    yield in_first("code-named-beyond", "a contract is named that is not there", codes=(0, 1))
    yield in_first("code-named-twice", "a contract is named twice", "B5", codes=(0, 0))
    one, other = (u32(2) + b"\1" + blob(b"b") + b"\1" + blob(b"a")), (u32(2) + (b"\1" + blob(b"a")) * 2)
    parts = parts_of(data)
    yield _malformed(
        "attachments-out-of-order", "attachments stand in another order", parts._replace(attachments=one).data(), "B9"
    )
    yield _malformed(
        "attachment-doubled", "an attachment stands twice", parts._replace(attachments=other).data(), "B9", "B5"
    )


def _lengths(data: bytes) -> Iterator[Entry]:
    parts = parts_of(data)
    huge = b"\xff\xff\xff\xff"

    def bomb(name: str, reason: str, **fields) -> Entry:
        return _malformed(name, reason, parts._replace(**fields).data(), "B3", "B15")

    yield bomb("length-of-nodes", "four thousand million nodes are announced", nodes=huge + parts.nodes[4:])
    yield bomb("length-of-a-node", "a node of four gigabytes is announced", nodes=u32(1) + huge)
    yield bomb("length-of-codes", "four thousand million contracts are announced", codes=huge + parts.codes[4:])
    yield bomb(
        "length-of-transitions", "four thousand million blocks are announced", transitions=huge + parts.transitions[4:]
    )
    yield bomb("length-of-validators", "four thousand million validators are announced", validators=huge + b"\0")
    yield bomb("length-of-attachments", "four thousand million attachments are announced", attachments=huge)
    yield bomb("length-of-the-network", "a name of four gigabytes is announced", claim=huge + parts.claim[4:])
    yield bomb(
        "codes-beyond-the-cap", "more contracts than a bundle may hold", codes=u32(MAX_CODES + 1) + parts.codes[4:]
    )
    yield bomb(
        "transitions-beyond-the-cap",
        "more blocks than a bundle may hold",
        transitions=u32(MAX_TRANSITIONS + 1) + parts.transitions[4:],
    )
    yield bomb(
        "validators-beyond-the-cap",
        "more validators than a bundle may hold",
        validators=u32(MAX_VALIDATORS + 1) + b"\0",
    )
    flood = vector(blob(number.to_bytes(3, "big")) for number in range(MAX_NODES + 1))
    yield _malformed(
        "nodes-beyond-the-cap", "more nodes than a bundle may hold", parts._replace(nodes=flood).data(), "B4", "B15"
    )


def _names(data: bytes) -> Iterator[Entry]:
    bundle, parts = decode_bundle(data), parts_of(data)
    for name, text in (
        ("parent", "../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("drive", "c:\\windows"),
        ("nul", "a\0b"),
        ("upper", "Alice.near"),
        ("escape", "\x1b[2J"),
        ("dots", ".."),
        ("long", "a" * 65),
        ("space", "a b"),
    ):
        claim = {**claim_pieces(bundle), "worker": string(text)}
        yield _malformed(
            f"worker-{name}", "the worker is no account id", parts._replace(claim=b"".join(claim.values())).data(), "B1"
        )
    yield from _names_inside(bundle, parts)


def _names_inside(bundle: Bundle, parts: Parts) -> Iterator[Entry]:
    first = encode_transition(bundle.content.transitions[0])
    executor = string("a.near")
    outcome = encode_outcome(bundle.content.transitions[0].outcomes[-1])
    at = first.index(outcome) + outcome.index(executor)
    evil = first[:at] + string("../a.n") + first[at + len(executor) :]
    rest = parts.transitions[4 + len(first) :]
    yield _malformed(
        "executor-path",
        "the executor of an outcome is no account id",
        parts._replace(transitions=parts.transitions[:4] + evil + rest).data(),
        "B1",
    )
