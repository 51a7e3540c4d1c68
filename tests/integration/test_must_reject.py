"""The must-reject corpus: every bundle gets exactly the answer that stands beside it."""

from collections import Counter

import pytest

from near_tee_cli.proof.report import Verdict
from tests.reject import corpus
from tests.reject.entry import THREATS
from tests.support.bundles import decided, executed
from tests.support.cli import near_tee

STORED = corpus.stored()
BY_LINE = [name for name, (document, _) in STORED.items() if document["flags"]]


def test_there_are_enough_of_every_kind() -> None:
    documents = [document for document, _ in STORED.values()]
    assert len(documents) >= 150
    assert len({(document["check"], document["code"]) for document in documents}) >= 50
    threats = Counter(threat for document in documents for threat in document["threats"])
    assert set(threats) <= set(THREATS)
    assert all(document["reason"] and document["threats"] for document in documents)
    assert {threat: count for threat, count in threats.items() if count < 3} == {}


def test_what_lies_there_is_what_is_made() -> None:
    made = {entry.name: entry for entry in corpus.entries()}
    assert set(made) == set(STORED)
    for name, entry in made.items():
        assert (corpus.FOLDER / name / corpus.EXPECTED).read_text(encoding="utf-8") == entry.expected(), name
        small = {file: data for file, data in corpus.bundles_of(entry) if len(data) <= corpus.STORED_BYTES}
        assert STORED[name][1] == small, name


def test_every_answer() -> None:
    for entry in corpus.entries():
        if entry.flags:
            continue
        report = executed(entry.data)
        assert decided(report) == (entry.check, entry.code), entry.name
        assert report.verdict is not Verdict.ESTABLISHED, entry.name


@pytest.mark.parametrize("name", BY_LINE)
def test_every_answer_to_demands(name, tmp_path) -> None:
    document, bundles = STORED[name]
    for file, data in bundles.items():
        (tmp_path / file).write_bytes(data)
    done = near_tee(
        "verify",
        *sorted(bundles, key=lambda file: (len(file), file)),
        *document["flags"],
        "--json",
        home=tmp_path / "home",
        cwd=tmp_path,
    )
    assert done.code in (4, 5), done.err
    assert done.document["error"]["code"] == document["code"]
    entries = done.document["result"]["bundles"]
    found = {check["code"] for entry in entries for check in entry["checks"] if check["number"] == document["check"]}
    assert document["code"] in found
