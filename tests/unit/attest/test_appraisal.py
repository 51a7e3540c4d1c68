"""Verified evidence under a policy: accepted as a whole, and one finding for every rule that is not met."""

import json

import pytest

from near_tee_cli.attest.appraisal import (
    Chain,
    Kind,
    judge,
    judge_app,
    judge_binding,
    judge_freshness,
    judge_measurements,
    judge_tcb,
    judge_td,
    matching_sets,
)
from near_tee_cli.attest.collateral import Window
from near_tee_cli.attest.dcap import Shortfall, Verified
from near_tee_cli.attest.event_log import parse_event_log, replay
from near_tee_cli.attest.platform_policy import PlatformPolicy, parse_platform_policy
from near_tee_cli.attest.quote import PERFMON, PROTECTION_KEYS, SEPT_VE_DISABLE, parse_quote, td_report_of
from near_tee_cli.attest.report_data import NearTeeBinding, RawKey, Scope
from near_tee_cli.primitives.keys import ED25519, public_key_of, secret_key_from_seed
from tests.support import attestation as recorded

NOW = 1_787_894_484
DAY = 86_400
QUOTE = parse_quote(recorded.quote_of(recorded.MPC))
TD = td_report_of(QUOTE)
LOG = replay(parse_event_log(recorded.log_of(recorded.MPC)))
COMPOSE = recorded.mpc_compose()
KEYS = recorded.mpc_keys()
OURS = NearTeeBinding(
    public_key_of(secret_key_from_seed("a", scheme=ED25519)), b"", 1000, bytes([1]) * 32, Scope.KEY, bytes(32)
)
VERIFIED = Verified(
    quote=QUOTE,
    status="UpToDate",
    advisory_ids=("INTEL-SA-1",),
    platform_status="UpToDate",
    qe_status="UpToDate",
    ppid=bytes.fromhex(recorded.cases()[recorded.MPC]["expect"]["ppid"]),
    fmspc=bytes(6),
    tcb_date=NOW - 100 * DAY,
    evaluation_number=19,
    oldest_issue=NOW - 31 * DAY,
    window=Window(0, NOW + 1),
    dynamic_platform=True,
    cached_keys=True,
    smt=True,
    root_is_intel=True,
    shortfalls=(),
)


def policy(**sections) -> PlatformPolicy:
    """The policy that takes the case, with some members of its sections replaced; `...` takes one out."""
    tables = recorded.mpc_tables()
    for name, members in sections.items():
        if isinstance(members, dict):
            merged = {**tables.get(name, {}), **members}
            tables[name] = {key: value for key, value in merged.items() if value is not ...}
        else:
            tables[name] = members
    return parse_platform_policy(tables)


def codes(findings) -> list[tuple[str, str]]:
    return [(finding.code, finding.kind.value) for finding in findings]


def contradicted(findings) -> str:
    ((code, kind),) = codes(findings)
    assert kind == Kind.CONTRADICTED.value
    return code


def undecided(findings) -> str:
    ((code, kind),) = codes(findings)
    assert kind == Kind.INCONCLUSIVE.value
    return code


def judged(rules: PlatformPolicy, verified: Verified = VERIFIED, **named):
    arguments = {"time": NOW, "replayed": LOG, "compose": COMPOSE, "binding": KEYS, **named}
    return judge(rules, verified, **arguments)


def test_a_policy_that_takes_everything_as_it_is() -> None:
    assert judged(policy()) == ()


def test_another_environment() -> None:
    sgx = VERIFIED._replace(quote=parse_quote(recorded.quote_of(recorded.SGX)))
    assert contradicted(judged(policy(), sgx)) == "not-tdx"


# Each rule by what breaks it in the policy alone.


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        ({"tcb": {"reject_advisories": ["INTEL-SA-1"]}}, "advisory-rejected"),
        ({"tcb": {"allowed": ["OutOfDate"]}}, "tcb-status"),
        ({"td": {"mr_seam": ["00" * 48]}}, "seam-not-allowed"),
        ({"measurements": []}, "measurements-not-allowed"),
        ({"measurements": recorded.production_tables()["measurements"]}, "measurements-not-allowed"),
        (
            {"measurements": [{**recorded.mpc_tables()["measurements"][0], "not_after": NOW - 1}]},
            "measurements-retired",
        ),
        (
            {"measurements": [{**recorded.mpc_tables()["measurements"][0], "rtmr3": "00" * 48}]},
            "measurements-not-allowed",
        ),
        ({"app": {"compose_hashes": []}}, "compose-hash-not-allowed"),
        ({"app": {"compose_hashes": ["00" * 32]}}, "compose-hash-not-allowed"),
        ({"app": {"app_ids": ["00" * 20]}}, "app-id-not-allowed"),
        ({"app": {"key_providers": [{"name": "kms"}]}}, "key-provider-not-allowed"),
        ({"app": {"key_providers": [{"name": "local-sgx", "id": "00"}]}}, "key-provider-not-allowed"),
        ({"app": {"allowed_post_events": []}}, "post-event-not-allowed"),
        ({"compose": {"accept": []}}, "compose-docker-socket"),
        ({"compose": {"agent_socket_services": []}}, "compose-agent-socket"),
        ({"platform": {"ppids": ["00" * 16]}}, "ppid-not-allowed"),
        ({"platform": {"allow_dynamic": False}}, "platform-dynamic"),
        ({"platform": {"allow_smt": False}}, "platform-smt"),
        ({"binding": {"profiles": ["near-tee-v1"]}}, "profile-not-allowed"),
    ],
)
def test_contradicted_by_one_rule(sections, code) -> None:
    assert contradicted(judged(policy(**sections))) == code


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        ({"tcb": {"min_eval_data_number": 20}}, "evaluation-too-old"),
        ({"tcb": {"max_collateral_age_days": 30}}, "collateral-too-old"),
        ({"binding": {"max_anchor_age_blocks": 1}}, "no-anchor"),
        ({"binding": {"require_challenge": True}}, "challenge-missing"),
    ],
)
def test_undecided_by_one_rule(sections, code) -> None:
    assert undecided(judged(policy(**sections))) == code


@pytest.mark.parametrize(
    ("named", "code"),
    [({"compose": None}, "no-compose"), ({"binding": None}, "no-binding"), ({"replayed": None}, "no-event-log")],
)
def test_undecided_by_what_is_missing(named, code) -> None:
    assert undecided(judged(policy(), **named)) == code


def test_rules_at_their_borders() -> None:
    assert judged(policy(tcb={"min_eval_data_number": 19, "max_collateral_age_days": 31})) == ()
    (finding,) = judged(policy(), time=NOW + 1)
    assert (finding.code, finding.detail) == ("collateral-too-old", "the collateral was issued 31 days before")
    until = {**recorded.mpc_tables()["measurements"][0], "not_after": NOW}
    assert judged(policy(measurements=[until])) == ()
    retired = {**until, "not_after": NOW - 1}
    assert judged(policy(measurements=[retired, until])) == ()
    unsaid = VERIFIED._replace(dynamic_platform=None, smt=None)
    assert judged(policy(platform={"allow_dynamic": False, "allow_smt": False}), unsaid) == ()
    off = VERIFIED._replace(dynamic_platform=False, smt=False)
    assert judged(policy(platform={"allow_dynamic": False, "allow_smt": False}), off) == ()


def test_status_and_its_grace() -> None:
    behind = VERIFIED._replace(status="OutOfDate", shortfalls=(Shortfall("the clockwork", 3, 5),))
    found = judge_tcb(policy(), behind, time=NOW)
    assert contradicted(found) == "tcb-status"
    assert "the clockwork is 3, needed is 5" in found[0].detail
    assert judge_tcb(policy(tcb={"grace_days": {"OutOfDate": 100}}), behind, time=NOW) == ()
    assert contradicted(judge_tcb(policy(tcb={"grace_days": {"OutOfDate": 99}}), behind, time=NOW)) == "tcb-status"
    assert contradicted(judge_tcb(policy(tcb={"grace_days": {"OutOfDate": 0}}), behind, time=NOW)) == "tcb-status"
    hundred, none = policy(tcb={"grace_days": {"OutOfDate": 100}}), policy(tcb={"grace_days": {"OutOfDate": 0}})
    assert contradicted(judge_tcb(hundred, behind, time=NOW + 1)) == "tcb-status"
    assert contradicted(judge_tcb(none, behind._replace(tcb_date=NOW), time=NOW)) == "tcb-status"
    assert contradicted(judge_tcb(policy(), behind._replace(tcb_date=NOW), time=NOW)) == "tcb-status"
    other = policy(tcb={"grace_days": {"ConfigurationNeeded": 100}})
    assert contradicted(judge_tcb(other, behind, time=NOW)) == "tcb-status"
    assert judge_tcb(policy(tcb={"allowed": ["OutOfDate"]}), behind, time=NOW) == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"td_attributes": SEPT_VE_DISABLE | 1}, "td-debug"),
        ({"td_attributes": 0}, "td-sept-ve"),
        ({"td_attributes": SEPT_VE_DISABLE | PROTECTION_KEYS}, "td-pks"),
        ({"td_attributes": SEPT_VE_DISABLE | PERFMON}, "td-perfmon"),
        ({"td_attributes": SEPT_VE_DISABLE | 1 << 31}, "td-attributes"),
        ({"td_attributes": SEPT_VE_DISABLE | 1 << 29}, "td-attributes"),
        ({"mr_signer_seam": bytes(47) + b"\1"}, "seam-signer"),
        ({"mr_service_td": bytes(47) + b"\1"}, "service-td"),
    ],
)
def test_attributes_of_guests(change, code) -> None:
    assert contradicted(judge_td(policy(), TD._replace(**change))) == code


def test_attributes_that_a_policy_may_allow() -> None:
    both = TD._replace(td_attributes=SEPT_VE_DISABLE | PROTECTION_KEYS | PERFMON)
    assert judge_td(policy(td={"allow_pks": True, "allow_perfmon": True}), both) == ()
    assert judge_td(policy(td={"mr_seam": [TD.mr_seam.hex()]}), TD._replace(mr_service_td=bytes(48))) == ()


def test_the_application() -> None:
    rules = policy()
    assert judge_app(rules, TD, replayed=LOG, compose=COMPOSE) == ()
    assert contradicted(judge_app(rules, TD, replayed=LOG, compose=COMPOSE + b" ")) == "compose-hash-mismatch"
    again = json.dumps(json.loads(COMPOSE)).encode()
    assert contradicted(judge_app(rules, TD, replayed=LOG, compose=again)) == "compose-hash-mismatch"


def test_the_configured_id() -> None:
    free, rules = policy(app={"require_mr_config_id": False}), policy()
    zero = TD._replace(mr_config_id=bytes(48))
    assert judge_app(free, zero, replayed=LOG, compose=COMPOSE) == ()
    assert contradicted(judge_app(rules, zero, replayed=LOG, compose=COMPOSE)) == "config-id-missing"
    wrong = TD._replace(mr_config_id=TD.mr_config_id[:32] + bytes([1]) + TD.mr_config_id[33:])
    for which in (free, rules):
        assert contradicted(judge_app(which, wrong, replayed=LOG, compose=COMPOSE)) == "config-id-mismatch"
    unheard = TD._replace(mr_config_id=b"\7" + bytes(47))
    assert judge_app(free, unheard, replayed=LOG, compose=COMPOSE) == ()
    assert contradicted(judge_app(rules, unheard, replayed=LOG, compose=COMPOSE)) == "config-id-mismatch"


def test_guests_without_a_log_of_their_application() -> None:
    pinned = {**recorded.mpc_tables()["measurements"][0], "rtmr3": TD.registers[3].hex()}
    lists = {"compose_hashes": ..., "app_ids": ..., "key_providers": ...}
    assert judge_app(policy(measurements=[pinned], app=lists), TD, replayed=None, compose=None) == ()
    assert undecided(judge_app(policy(app=lists), TD, replayed=None, compose=None)) == "no-event-log"
    assert undecided(judge_app(policy(measurements=[pinned]), TD, replayed=None, compose=None)) == "no-event-log"
    for name, value in recorded.mpc_tables()["app"].items():
        if name in lists:
            one = policy(measurements=[pinned], app={**lists, name: value})
            assert undecided(judge_app(one, TD, replayed=None, compose=None)) == "no-event-log"
    assert undecided(judge_app(policy(), TD, replayed=replay(()), compose=None)) == "app-unmeasured"
    assert judge_app(policy(measurements=[pinned], app=lists), TD, replayed=replay(()), compose=None) == ()
    # With a log the application is judged by it, whatever is pinned.
    found = judge_app(policy(measurements=[pinned], app={"compose_hashes": []}), TD, replayed=LOG, compose=COMPOSE)
    assert contradicted(found) == "compose-hash-not-allowed"


def test_sets_are_whole() -> None:
    """Every register of one set or of the other, never some of each."""
    base = recorded.mpc_tables()["measurements"][0]
    for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2"):
        others = [{**base, "label": "other", name: "00" * 48}]
        mixed = [*others, {**dict.fromkeys(base, "00" * 48), "label": "mixed", name: base[name]}]
        found = judge_measurements(policy(measurements=mixed), TD, replayed=LOG, time=NOW)
        assert contradicted(found) == "measurements-not-allowed"
        assert f"other differs in {name}" in found[0].detail
        assert matching_sets(policy(measurements=[*mixed, base]), TD, replayed=LOG)[0].label == "dev"


def test_the_production_image_differs_in_one_register() -> None:
    found = judge_measurements(policy(**recorded.production_tables()), TD, replayed=LOG, time=NOW)
    assert found[0].detail.endswith("near/mpc production differs in rtmr2")


def test_image_hashes_where_they_were_logged() -> None:
    lite = td_report_of(parse_quote(recorded.quote_of(recorded.LITE)))
    log = replay(parse_event_log(recorded.log_of(recorded.LITE)))
    one = {"label": "lite", "mrtd": lite.mr_td.hex(), **{f"rtmr{at}": lite.registers[at].hex() for at in range(3)}}
    right = {**one, "os_image_hash": log.system["os-image-hash"].hex()}
    wrong = {**one, "os_image_hash": "00" * 32}
    for sets, fit in (([one], True), ([right], True), ([wrong], False)):
        assert bool(matching_sets(policy(measurements=sets), lite, replayed=log)) == fit
    found = judge_measurements(policy(measurements=[wrong]), lite, replayed=log, time=NOW)
    assert found[0].detail == "no set fits; lite differs in os_image_hash"
    unlogged = {**recorded.mpc_tables()["measurements"][0], "os_image_hash": "00" * 32}
    assert judge_measurements(policy(measurements=[unlogged]), TD, replayed=LOG, time=NOW) == ()


def test_bindings() -> None:
    assert judge_binding(policy(), KEYS) == ()
    assert contradicted(judge_binding(policy(), OURS)) == "profile-not-allowed"
    assert judge_binding(policy(binding={"profiles": ["near-tee-v1"]}), OURS) == ()


def fresh(rules: PlatformPolicy, binding=OURS, **chain):
    return judge_freshness(rules, binding, chain=Chain(**chain), oldest_issue=NOW, time=NOW)


def test_ages_in_blocks() -> None:
    rules = policy(binding={"max_anchor_age_blocks": 10})
    known = {1000: OURS.anchor_hash}
    assert fresh(rules, height=1010, blocks=known) == ()
    assert fresh(rules, height=1000, blocks=known) == ()
    assert undecided(fresh(rules, height=1011, blocks=known)) == "anchor-too-old"
    assert undecided(fresh(rules, height=999, blocks=known)) == "anchor-ahead"
    assert undecided(fresh(rules, blocks=known)) == "anchor-age-unknown"
    assert undecided(fresh(rules, height=1010)) == "anchor-unknown"
    assert undecided(fresh(rules, binding=RawKey(OURS.key), height=1010)) == "no-anchor"
    for which in (rules, policy()):
        assert contradicted(fresh(which, height=1010, blocks={1000: bytes(32)})) == "anchor-mismatch"
    assert fresh(policy()) == fresh(policy(), binding=None) == ()


def test_challenges() -> None:
    asked = OURS._replace(challenge=b"now")
    rules = policy(binding={"require_challenge": True})
    assert fresh(rules, binding=asked, challenge=b"now") == ()
    assert contradicted(fresh(rules, binding=asked, challenge=b"then")) == "challenge-mismatch"
    assert contradicted(fresh(policy(), challenge=b"now")) == "challenge-mismatch"
    assert contradicted(fresh(policy(), binding=RawKey(OURS.key), challenge=b"now")) == "challenge-mismatch"
    assert undecided(fresh(rules, binding=asked)) == "challenge-missing"


def test_key_providers_that_cannot_be_read() -> None:
    broken = LOG._replace(system={**LOG.system, "key-provider": b"?"})
    assert contradicted(judge_app(policy(), TD, replayed=broken, compose=COMPOSE)) == "key-provider-not-allowed"
    assert judge_app(policy(app={"key_providers": ...}), TD, replayed=broken, compose=COMPOSE) == ()
