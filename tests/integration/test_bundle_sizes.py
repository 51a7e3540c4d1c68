"""What a bundle adds to its evidence, and that a large state does not make it large."""

import json

from near_tee_cli.proof.bundle import decode_bundle
from tests.bench import transfers


def test_a_transfer_is_little_more_than_its_evidence(tmp_path) -> None:
    """At most 1 % and 4 KiB over nodes, values, code, inputs and outcomes."""
    size, limit = transfers.with_code(str(tmp_path))
    assert size <= limit


def test_a_transfer_without_code_on_many_records(tmp_path) -> None:
    """Below 20 KiB on 20,000 records."""
    assert len(json.loads(transfers.snapshot_of_holders(transfers.RECORDS))["records"]) == 20_000
    size, limit = transfers.without_code(str(tmp_path))
    assert size < limit == 20 << 10


def test_evidence_is_counted_once(tmp_path) -> None:
    """With its code the evidence of the same transfer grows by the contract and nothing else."""
    words = transfers.transfer()
    whole, detached = (transfers.proved(str(tmp_path), [*words, *flags]) for flags in ((), ("--detach-code",)))
    (code,) = decode_bundle(whole).content.codes
    assert transfers.evidence(whole) - transfers.evidence(detached) == len(code.code)
    assert len(whole) - len(detached) == len(code.code) + 4
