"""Bundles and claims there and back; only the one encoding is read; damage never surprises the reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import borsh
from near_tee_cli.proof import schemas
from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
from near_tee_cli.proof.claim import claim_digest, decode_claim, encode_claim, encode_entry
from tests.support.bundle_strategies import bundles, claims, entries

REFUSALS = ("not-a-bundle", "malformed-bundle", "unsupported-bundle-version")


def reading(data):
    """The bundle, or the code of its refusal."""
    try:
        return decode_bundle(data), None
    except BadInputError as error:
        return None, error.code


@given(bundles)
def test_bundles_there_and_back(bundle) -> None:
    data = encode_bundle(bundle)
    assert decode_bundle(data) == bundle
    assert encode_bundle(decode_bundle(data)) == data


@given(claims)
def test_claims_there_and_back(claim) -> None:
    assert decode_claim(encode_claim(claim)) == claim
    assert len(encode_claim(claim)) < 1_500


@given(claims, claims)
def test_different_claims_have_different_digests(one, other) -> None:
    assert (one == other) == (claim_digest(one) == claim_digest(other))


@given(bundles, st.data())
def test_damage_is_refused_or_means_something_else(bundle, data) -> None:
    raw = bytearray(encode_bundle(bundle))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "length", "double"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    if kind == "flip":
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del raw[at : at + data.draw(st.integers(1, 40))]
    elif kind == "insert":
        raw[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    elif kind == "length":
        raw[at : at + 4] = data.draw(
            st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\0\0", b"\0\0\0\x80"])
        )
    else:
        raw[at:at] = raw[at : at + data.draw(st.integers(1, 60))]
    read, code = reading(bytes(raw))
    if read is None:
        assert code in REFUSALS
        return
    assert encode_bundle(read) == bytes(raw)
    assert read != bundle or bytes(raw) == encode_bundle(bundle)


@given(bundles, st.binary(min_size=1, max_size=9))
def test_nothing_may_follow(bundle, tail) -> None:
    with pytest.raises(BadInputError):
        decode_bundle(encode_bundle(bundle) + tail)


@given(bundles)
def test_every_shorter_file_is_refused(bundle) -> None:
    data = encode_bundle(bundle)
    for end in range(0, len(data), max(1, len(data) // 50)):
        with pytest.raises(BadInputError):
            decode_bundle(data[:end])


@given(bundles)
def test_the_declared_schema_is_the_format(bundle) -> None:
    data = encode_bundle(bundle)
    fields = schemas.take_apart(data)
    assert (fields["magic"], fields["version"]) == (b"near-tee", 1)
    assert fields["attachments"] == [item._asdict() for item in bundle.attachments]
    assert list(fields["claim"]) == list(bundle.claim._fields)
    assert [item["block"]["height"] for item in fields["transitions"]] == [
        item.block.height for item in bundle.content.transitions
    ]
    assert fields["nodes"] == list(bundle.content.nodes)


@given(claims)
def test_the_declared_claim_is_the_claim(claim) -> None:
    data = encode_claim(claim)
    fields = borsh.decode(schemas.claim(), data, "claim", max_bytes=10_000)
    assert fields["gas"] == claim.gas._asdict()
    assert fields["call"] == (None if claim.call is None else claim.call._asdict())
    assert borsh.encode(schemas.claim(), fields, "claim") == data


@given(entries)
def test_the_declared_entry_is_the_entry(entry) -> None:
    data = encode_entry(entry)
    fields = borsh.decode(schemas.entry(), data, "entry", max_bytes=10_000)
    assert fields["position"] == entry.position
    assert fields["outcome"] == entry.outcome._asdict()
    assert fields["input"]["block"] == entry.input.block._asdict()
