"""Chains: one order of many, and a word for every other."""

import itertools

import pytest

from near_tee_cli.errors import EvidenceError
from near_tee_cli.proof.bundle import Bundle
from near_tee_cli.proof.chain import Chain, Link
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.runtime.block import CongestionInfo
from tests.reject.chains import consecutive

SIX = list(consecutive(6))
NUMBERED = list(consecutive(3, numbered=True))


def broken(bundles):
    """Position and code of every link that does not hold."""
    chain, found = Chain(), []
    for position, bundle in enumerate(bundles):
        try:
            chain.add(bundle)
        except EvidenceError as error:
            found.append((position, error.code))
    return found


def test_one_order_of_all() -> None:
    assert len({bundle.claim.pre_root for bundle in SIX}) == 6
    assert [order for order in itertools.permutations(SIX) if not broken(order)] == [tuple(SIX)]


def test_receipts_go_from_one_to_the_next() -> None:
    assert all(bundle.content.transitions[-1].sent for bundle in SIX)
    assert all(bundle.content.transitions[0].receipts for bundle in SIX[1:])


@pytest.mark.parametrize("left_out", range(1, 5))
def test_a_gap_is_found_where_it_is(left_out) -> None:
    assert broken([*SIX[:left_out], *SIX[left_out + 1 :]]) == [(left_out, "chain-root")]


def test_parts_of_a_chain_are_chains() -> None:
    for begin, end in itertools.combinations(range(7), 2):
        assert broken(SIX[begin:end]) == []


def with_claim(bundle: Bundle, **fields) -> Bundle:
    claim = bundle.claim._replace(**fields)
    return bundle._replace(claim=claim, claim_digest=claim_digest(claim))


def with_first(bundle: Bundle, **fields) -> Bundle:
    first, *others = bundle.content.transitions
    return bundle._replace(content=bundle.content._replace(transitions=(first._replace(**fields), *others)))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda b: with_claim(b, network="mainnet"), "chain-network"),
        (lambda b: with_claim(b, protocol_version=85), "chain-protocol"),
        (lambda b: with_claim(b, pre_root=bytes(32)), "chain-root"),
        (lambda b: with_claim(b, first_height=1), "chain-height"),
        (lambda b: with_claim(b, first_height=0), "chain-height"),
        (lambda b: with_first(b, receipts=()), "chain-receipts"),
        (lambda b: with_first(b, receipts=(b"other", *b.content.transitions[0].receipts)), "chain-receipts"),
        (lambda b: with_first(b, receipts=b.content.transitions[0].receipts[1:]), "chain-receipts"),
        (
            lambda b: b._replace(
                content=b.content._replace(
                    carried=b.content.carried._replace(congestion_info=CongestionInfo(1, 0, 0, 0))
                )
            ),
            "chain-carried",
        ),
        (lambda b: with_claim(b, previous=bytes(32)), "chain-previous"),
        (lambda b: with_claim(b, sequence=5), "chain-sequence"),
    ],
)
def test_everything_that_has_to_fit(change, code) -> None:
    assert broken([SIX[0], change(SIX[1])]) == [(1, code)]


def test_numbers_and_names() -> None:
    assert broken(NUMBERED) == []
    assert broken([NUMBERED[0], with_claim(NUMBERED[1], sequence=2)]) == [(1, "chain-sequence")]
    assert broken([NUMBERED[1], with_claim(NUMBERED[2], sequence=1)]) == [(1, "chain-sequence")]
    assert broken([NUMBERED[1], with_claim(NUMBERED[2], previous=NUMBERED[0].claim_digest)]) == [(1, "chain-previous")]
    assert broken([NUMBERED[1], with_claim(NUMBERED[2], previous=None)]) == []


def test_newer_rules_may_follow_older_ones() -> None:
    assert broken([with_claim(SIX[0], protocol_version=85), SIX[1]]) == []
    later = with_claim(SIX[1], first_height=100, last_height=100)
    assert broken([SIX[0], later]) == []


def test_nothing_stands_twice() -> None:
    assert (1, "chain-repeat") in broken([SIX[0], SIX[0]])
    assert (3, "chain-repeat") in broken([*SIX[:3], SIX[1]])


def test_nothing_is_executed_twice() -> None:
    """A receipt that comes in from outside again, after all that the one before sent."""
    outcome = SIX[0].content.transitions[0].outcomes[0]
    replayed = with_first(SIX[2], outcomes=(*SIX[2].content.transitions[0].outcomes, outcome))
    assert broken([*SIX[:2], replayed]) == [(2, "chain-executed")]
    within = with_first(SIX[0], outcomes=(outcome, outcome))
    assert broken([within]) == [(0, "chain-executed")]


def test_a_yield_is_resumed_once() -> None:
    row = b"\x0ca.near\x00" + bytes(32)
    taken = with_first(SIX[0], changes=((row, None),))
    again = with_first(SIX[1], changes=((row, None),))
    kept = with_first(SIX[1], changes=((row, b"receipt"),))
    assert broken([taken, again]) == [(1, "chain-yield")]
    assert broken([taken, kept]) == []


def test_what_cannot_be_read_is_a_gap() -> None:
    chain = Chain()
    chain.add(SIX[0])
    chain.skip()
    with pytest.raises(EvidenceError) as caught:
        chain.add(SIX[1])
    assert caught.value.code == "chain-gap"
    chain.add(SIX[2])


def test_what_was_found_and_where() -> None:
    chain = Chain()
    assert chain.add(SIX[0]) is None
    assert chain.add(SIX[1]) == Link(len(SIX[0].content.transitions[-1].sent)) == Link(1)
    chain.skip()
    with pytest.raises(EvidenceError, match=r"^bundle 4: "):
        chain.add(SIX[3])
    with pytest.raises(EvidenceError, match=r"^bundle 5 makes a claim"):
        chain.add(SIX[3])


def without_blocks(bundle: Bundle) -> Bundle:
    return bundle._replace(content=bundle.content._replace(transitions=()))


def test_a_bundle_without_blocks_leads_nowhere() -> None:
    """No such bundle can be read; a chain does not count on that."""
    assert broken([SIX[0], without_blocks(SIX[1])]) == [(1, "chain-gap")]
    assert broken([without_blocks(SIX[0]), SIX[1]]) == [(1, "chain-gap")]


def of_many_blocks() -> Bundle:
    first = SIX[0].content.transitions[0]
    return with_claim(SIX[0]._replace(content=SIX[0].content._replace(transitions=(first, with_other_outcomes(first)))))


def with_other_outcomes(transition):
    sent = SIX[1].content.transitions[-1].sent
    return transition._replace(outcomes=(), changes=(), sent=sent)


def test_the_last_block_leads_on() -> None:
    bundle = of_many_blocks()
    follower = with_claim(
        with_first(SIX[1], receipts=bundle.content.transitions[-1].sent), pre_root=bundle.claim.post_root
    )
    assert broken([bundle, follower]) == []
    assert broken([bundle, SIX[1]]) == [(1, "chain-receipts")]
