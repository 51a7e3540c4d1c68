"""`docs/bundle-format.md` and `docs/verification.md` say what the code does: numbers, names, layouts, codes."""

import pathlib
import re

import pytest

from near_tee_cli.params.features import SUPPORTED_VERSIONS
from near_tee_cli.params.store import config_at
from near_tee_cli.primitives import borsh
from near_tee_cli.proof import checks, limits, partial_state, reexecution, schemas, statement, verifier
from near_tee_cli.proof.claim import EntryInput

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"
FORMAT = (DOCS / "bundle-format.md").read_text()
VERIFICATION = (DOCS / "verification.md").read_text()


def rows(text, head):
    """The cells of the table whose first row begins with `head`."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def section(name):
    """What stands under a heading of the format."""
    _, _, rest = FORMAT.partition(f"\n### {name}\n")
    assert rest, name
    return re.split(r"\n##", rest)[0]


SIMPLE = {
    id(borsh.u8): "u8", id(borsh.u16): "u16", id(borsh.u32): "u32", id(borsh.u64): "u64", id(borsh.u128): "u128",
    id(borsh.boolean): "bool", id(borsh.string): "String", id(borsh.blob): "bytes", id(borsh.hash32): "hash",
}  # fmt: skip
RECORDS = {
    "Bundle": schemas.bundle, "Claim": schemas.claim, "Call": schemas.call, "Gas": schemas.gas, "Block": schemas.block,
    "Carried": schemas.carried, "Transition": schemas.transition, "Outcome": schemas.outcome, "Chunk": schemas.chunk,
    "KeyPaths": schemas.key_paths, "Path": schemas.key_path, "ChainFile": schemas.chain_file,
    "Entry": schemas.entry, "EntryInput": schemas.entry_input, "EntryOutcome": schemas.entry_outcome,
}  # fmt: skip
INNER = {
    "Trace": (schemas.claim, "trace"), "Validator": (schemas.bundle, "validators"), "Code": (schemas.bundle, "codes"),
    "Attachment": (schemas.bundle, "attachments"), "BandwidthRequest": (schemas.carried, "bandwidth_requests"),
    "Change": (schemas.transition, "changes"), "ProfileRow": (schemas.outcome, "profile"),
    "BalanceStats": (schemas.chunk, "balance_stats"), "Proposal": (schemas.chunk, "validator_proposals"),
    "YieldTimeout": (schemas.chunk, "yield_timeouts"), "EntryWitness": (schemas.entry, "witness"),
    "Status": (schemas.outcome, "status"), "Contract": (schemas.outcome, "contracts"),
    "CongestionInfo": (schemas.carried, "congestion_info"), "Packed": (schemas.chain_file, "bundles"),
}  # fmt: skip


def bare(kind):
    """A schema without its name in the record around it."""
    return kind.subcon if type(kind).__name__ == "Renamed" else kind


def item_of(kind):
    """What an option or a list is of, down to a record or a simple kind."""
    while type(kind).__name__ in ("Option", "FocusedSeq", "Renamed"):
        kind = inside(kind)
    return kind


def inside(kind):
    name = type(kind).__name__
    if name == "Option":
        return bare(bare(kind.subcon.subcons[1]).elsesubcon)
    if name == "FocusedSeq":
        return bare(bare(kind.subcons[1]).subcon)
    return bare(kind.subcon)


def fields_of(record):
    return {subcon.name: bare(subcon) for subcon in record.subcons}


def named():
    result = {id(make()): name for name, make in RECORDS.items()}
    for name, (make, field) in INNER.items():
        result[id(item_of(fields_of(make())[field]))] = name
    result[id(record_named("NamedCode"))] = "NamedCode"
    result[id(fields_of(item_of(fields_of(schemas.chunk())["validator_proposals"]))["public_key"])] = "PublicKey"
    return result


def type_text(kind):
    if id(kind) in SIMPLE:
        return SIMPLE[id(kind)]
    known = named().get(id(kind))
    if known:
        return known
    name = type(kind).__name__
    if name == "Option":
        return f"Option<{type_text(inside(kind))}>"
    if name == "FocusedSeq":
        return f"Vec<{type_text(inside(kind))}>"
    if name == "Bytes":
        return f"[u8; {kind.length}]"
    raise AssertionError(f"no text for {kind}")


def record_named(name):
    if name in RECORDS:
        return RECORDS[name]()
    if name == "NamedCode":
        return item_of(fields_of(record_named("Packed"))["codes"])
    make, field = INNER[name]
    return item_of(fields_of(make())[field])


@pytest.mark.parametrize(
    "name", [*RECORDS, "NamedCode", *(name for name in INNER if name not in ("Status", "Contract", "CongestionInfo"))]
)
def test_layouts(name) -> None:
    table = [(row[0], row[1]) for row in rows(section(name), "| field |")]
    assert table == [(field, type_text(kind)) for field, kind in fields_of(record_named(name)).items()]


def test_the_statement_under_the_input_digest() -> None:
    names = [row[0] for row in rows(section("InputStatement"), "| field |")]
    assert names == [
        "network", "protocol_version", "config_digest", "validators_digest", "carried_digest", "pre_root", "inputs",
    ]  # fmt: skip
    assert "Vec<EntryInput>" in section("InputStatement")
    assert EntryInput._fields == tuple(fields_of(schemas.entry_input()))


def test_every_heading_is_a_layout_that_is_compared() -> None:
    headings = set(re.findall(r"^### (\w+)$", FORMAT, flags=re.MULTILINE))
    assert headings == {*RECORDS, *INNER, "InputStatement", "NamedCode"}


def test_caps() -> None:
    documented = {row[0]: int(row[1]) for row in rows(FORMAT, "| name | value |")}
    assert documented == {name: value for name, value in vars(limits).items() if name.isupper()}


def test_checks() -> None:
    documented = [(int(row[0]), row[1], row[2], row[3]) for row in rows(VERIFICATION, "| number |")]
    assert documented == [tuple(check) for check in checks.CHECKS]
    explained = re.findall(r"^\*\*(\d+) ([a-z-]+)\.\*\*", VERIFICATION, flags=re.MULTILINE)
    assert {*explained} <= {(str(check.number), check.name) for check in checks.CHECKS}
    assert len(explained) == len({*explained})
    assert explained[:15] == [(str(check.number), check.name) for check in checks.CHECKS[:15]]


def test_configurations() -> None:
    documented = {int(row[0]): row[1].strip("`") for row in rows(VERIFICATION, "| protocol version |")}
    assert documented == {version: config_at(version).digest.hex() for version in SUPPORTED_VERSIONS}


def test_every_code_of_the_verifier_is_documented() -> None:
    used: set[str] = set()
    for module in (checks, partial_state, reexecution, statement):
        used.update(re.findall(r'code="([a-z-]+)"', pathlib.Path(module.__file__).read_text()))
    assert len(used) > 15
    documented = set(re.findall(r"`([a-z-]+)`", VERIFICATION))
    assert used <= documented
    assert "not-signed" in pathlib.Path(verifier.__file__).read_text()


def test_kinds_of_digests() -> None:
    used = set(re.findall(r'digest\(\s*"([a-z-]+)"', pathlib.Path(statement.__file__).read_text()))
    used.add("claim")
    for kind in used:
        assert re.search(rf"kind `{kind}`", FORMAT), kind
