"""The must-reject corpus: every bundle gets exactly the answer that stands beside it."""

from collections import Counter

import pytest

from near_tee_cli.cli.commands import verify
from near_tee_cli.cli.parser import parse
from near_tee_cli.proof.report import Verdict
from tests.reject import attested, corpus
from tests.reject.entry import THREATS
from tests.support.bundles import decided, executed
from tests.support.cli import near_tee

STORED = corpus.stored()
ATTESTED = [name for name in STORED if name.startswith("attested-")]
BY_LINE = [name for name, (document, _) in STORED.items() if document["flags"] and name not in ATTESTED]


def test_there_are_enough_of_every_kind() -> None:
    documents = [document for document, _ in STORED.values()]
    assert len(documents) >= 150
    assert len(ATTESTED) >= 60
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


@pytest.mark.parametrize("name", ATTESTED)
def test_every_answer_to_evidence(name, tmp_path, monkeypatch) -> None:
    """As the command line gives it, in this process: there are many."""
    document, files = STORED[name]
    if corpus.BUNDLE not in files:
        (entry,) = (one for one in corpus.entries() if one.name == name)
        files = dict(corpus.bundles_of(entry))
    for file, data in files.items():
        (tmp_path / file).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    report = verify.execute(parse(verify.LINE, [corpus.BUNDLE, *document["flags"]]))
    assert report.exit_code in (4, 5)
    assert report.error["code"] == document["code"]
    (entry,) = report.result["bundles"]
    assert document["code"] in {check["code"] for check in entry["checks"] if check["number"] == document["check"]}
    assert "attested" not in entry["strengths"]


def test_the_evidence_that_all_others_are_made_from_is_accepted(tmp_path, monkeypatch) -> None:
    (tmp_path / corpus.BUNDLE).write_bytes(attested.accepted())
    (tmp_path / attested.POLICY).write_bytes(attested.policy())
    (tmp_path / attested.ROOT).write_bytes(attested.GUEST.pki.root)
    monkeypatch.chdir(tmp_path)
    report = verify.execute(parse(verify.LINE, [corpus.BUNDLE, *attested.flags()]))
    assert (report.exit_code, report.result["strengths"]) == (0, ["attested", "consistent"])


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
