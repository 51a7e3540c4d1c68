"""Sections of a policy about platforms: read strictly, with defaults that let nothing in."""

import tomllib

import pytest

from near_tee_cli.attest.compose import SCRIPT_KEYS
from near_tee_cli.attest.platform_policy import MAX_VALUES, parse_platform_policy
from near_tee_cli.errors import BadInputError

WHOLE = f"""
[tcb]
allowed = ["UpToDate", "SWHardeningNeeded"]
grace_days.OutOfDate = 30
reject_advisories = ["INTEL-SA-1"]
min_eval_data_number = 17
max_collateral_age_days = 7

[td]
debug = false
allow_pks = true
allow_perfmon = true
mr_seam = ["{"07" * 48}"]
service_td = "zero"

[[measurements]]
label = "image"
mrtd = "{"01" * 48}"
rtmr0 = "{"02" * 48}"
rtmr1 = "{"03" * 48}"
rtmr2 = "{"04" * 48}"
rtmr3 = "{"05" * 48}"
os_image_hash = "{"06" * 32}"
not_after = 2027-01-15T08:00:00Z

[app]
compose_hashes = ["{"0a" * 32}"]
app_ids = ["{"0b" * 20}"]
key_providers = [{{ name = "kms", id = "0c0d" }}, {{ name = "local-sgx" }}]
require_mr_config_id = true
forbid_compose_keys = ["bash_script"]
allowed_post_events = ["mine"]

[compose]
accept = ["compose-build"]
allowed_envs = ["A"]
agent_socket_services = ["worker"]

[platform]
ppids = ["{"0e" * 16}"]
allow_dynamic = false
allow_smt = false

[binding]
profiles = ["near-tee-v1", "mpc-v1"]
max_anchor_age_blocks = 100
require_challenge = true

[claim]
network = "belongs to another reader"
"""


def refused(text: str) -> BadInputError:
    with pytest.raises(BadInputError) as caught:
        parse_platform_policy(tomllib.loads(text))
    assert caught.value.code == "bad-policy"
    return caught.value


def test_everything_that_a_policy_can_say() -> None:
    found = parse_platform_policy(tomllib.loads(WHOLE))
    one = found.measurements[0]
    assert found.statuses == {"UpToDate", "SWHardeningNeeded"}
    assert (found.grace_days, found.reject_advisories) == ({"OutOfDate": 30}, {"INTEL-SA-1"})
    assert (found.min_evaluation_number, found.max_collateral_age_days) == (17, 7)
    assert (found.allow_pks, found.allow_perfmon, found.mr_seam) == (True, True, {bytes([7]) * 48})
    assert (one.label, one.os_image_hash, one.not_after) == ("image", bytes([6]) * 32, 1_800_000_000)
    assert (one.mrtd, one.rtmr0, one.rtmr1, one.rtmr2, one.rtmr3) == tuple(bytes([at]) * 48 for at in range(1, 6))
    assert (found.compose_hashes, found.app_ids) == ({bytes([10]) * 32}, {bytes([11]) * 20})
    assert found.key_providers == (("kms", b"\x0c\x0d"), ("local-sgx", None))
    assert (found.require_mr_config_id, found.allowed_post_events) == (True, {"mine"})
    assert found.compose == (("bash_script",), {"A"}, {"worker"})
    assert (found.accept_compose, found.ppids) == ({"compose-build"}, {bytes([14]) * 16})
    assert (found.allow_dynamic, found.allow_smt) == (False, False)
    assert (found.profiles, found.max_anchor_age_blocks, found.require_challenge) == (
        {"near-tee-v1", "mpc-v1"},
        100,
        True,
    )


def test_defaults_let_nothing_in() -> None:
    found = parse_platform_policy({})
    assert (found.statuses, found.grace_days, found.max_collateral_age_days) == ({"UpToDate"}, {}, 31)
    assert (found.measurements, found.compose_hashes, found.allowed_post_events) == ((), frozenset(), frozenset())
    assert (found.allow_pks, found.allow_perfmon, found.accept_compose) == (False, False, frozenset())
    assert found.compose == (SCRIPT_KEYS, frozenset(), frozenset())
    assert (found.profiles, found.max_anchor_age_blocks) == ({"near-tee-v1"}, None)
    assert (found.allow_dynamic, found.allow_smt, found.ppids) == (True, True, frozenset())
    assert (found.min_evaluation_number, found.require_mr_config_id, found.require_challenge) == (0, False, False)
    assert (found.mr_seam, found.app_ids, found.key_providers, found.reject_advisories) == (
        frozenset(),
        frozenset(),
        (),
        frozenset(),
    )


def test_lists_that_may_be_empty() -> None:
    text = "[tcb]\nreject_advisories = []\n[app]\ncompose_hashes = []\nforbid_compose_keys = []\n[compose]\naccept = []"
    found = parse_platform_policy(tomllib.loads(text))
    assert (found.compose.forbidden_keys, found.compose_hashes) == ((), frozenset())


def test_the_largest_numbers_and_lists() -> None:
    assert MAX_VALUES == 4096
    many = "[app]\nallowed_post_events = [" + '"a",' * MAX_VALUES + "]"
    assert parse_platform_policy(tomllib.loads(many)).allowed_post_events == {"a"}
    one = tomllib.loads(WHOLE)["measurements"]
    assert len(parse_platform_policy({"measurements": one * MAX_VALUES}).measurements) == MAX_VALUES
    most = {"tcb": {"min_eval_data_number": 2**64 - 1}}
    assert parse_platform_policy(most).min_evaluation_number == 2**64 - 1
    most["tcb"]["min_eval_data_number"] += 1
    with pytest.raises(BadInputError):
        parse_platform_policy(most)
    with pytest.raises(BadInputError):
        parse_platform_policy({"measurements": one * (MAX_VALUES + 1)})


def test_a_moment_in_seconds() -> None:
    text = WHOLE.replace("2027-01-15T08:00:00Z", "5")
    assert parse_platform_policy(tomllib.loads(text)).measurements[0].not_after == 5


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"SWHardeningNeeded"]', '"Revoked"]', "tcb.allowed[1]"),
        ('["UpToDate", "SWHardeningNeeded"]', "[]", "tcb.allowed"),
        ('["UpToDate", "SWHardeningNeeded"]', '"UpToDate"', "tcb.allowed"),
        ("grace_days.OutOfDate = 30", "grace_days.Revoked = 30", "tcb.grace_days"),
        ("grace_days.OutOfDate = 30", "grace_days.OutOfDate = -1", "tcb.grace_days.OutOfDate"),
        ("grace_days.OutOfDate = 30", "grace_days = 30", "tcb.grace_days"),
        ("min_eval_data_number = 17", "min_eval_data_number = true", "tcb.min_eval_data_number"),
        ("min_eval_data_number = 17", "max_eval_data_number = 17", "tcb.max_eval_data_number"),
        ("max_collateral_age_days = 7", "max_collateral_age_days = 7.5", "tcb.max_collateral_age_days"),
        ("debug = false", "debug = true", "td.debug"),
        ("debug = false", "debug = 0", "td.debug"),
        ("allow_pks = true", 'allow_pks = "yes"', "td.allow_pks"),
        ('service_td = "zero"', 'service_td = "any"', "td.service_td"),
        ("07" * 48, "07" * 47, "td.mr_seam[0]"),
        ("07" * 48, "07" * 47 + "  07", "td.mr_seam[0]"),
        ("07" * 48, "0g" * 48, "td.mr_seam[0]"),
        ('label = "image"', "", "measurements[0]"),
        (f'rtmr2 = "{"04" * 48}"', "", "measurements[0]"),
        ('label = "image"', 'label = ""', "measurements[0].label"),
        ('label = "image"', 'label = "image"\nmore = 1', "measurements[0].more"),
        ("2027-01-15T08:00:00Z", "2027-01-15T08:00:00", "measurements[0].not_after"),
        ("2027-01-15T08:00:00Z", '"2027"', "measurements[0].not_after"),
        (f'["{"07" * 48}"]', "[]", "td.mr_seam"),
        ('[{ name = "kms", id = "0c0d" }, { name = "local-sgx" }]', "[]", "app.key_providers"),
        (f'["{"0b" * 20}"]', "[]", "app.app_ids"),
        ('name = "kms", id', 'nam = "kms", id', "app.key_providers[0].nam"),
        ('name = "kms", id = "0c0d"', 'id = "0c0d"', "app.key_providers[0]"),
        ('id = "0c0d"', 'id = "0c0"', "app.key_providers[0].id"),
        ('[{ name = "kms", id = "0c0d" }, { name = "local-sgx" }]', '["kms"]', "app.key_providers[0]"),
        ('["mine"]', "[1]", "app.allowed_post_events[0]"),
        (f'["{"0e" * 16}"]', "[]", "platform.ppids"),
        ('["near-tee-v1", "mpc-v1"]', '["other"]', "binding.profiles[0]"),
        ('["near-tee-v1", "mpc-v1"]', "[]", "binding.profiles"),
        ("max_anchor_age_blocks = 100", "max_anchor_age_blocks = -1", "binding.max_anchor_age_blocks"),
        ("[tcb]", "tcb = 1\n[other]", "tcb"),
    ],
)
def test_what_says_nothing(old, new, where) -> None:
    assert old in WHOLE
    assert refused(WHOLE.replace(old, new, 1)).where == where


def test_lists_are_bounded() -> None:
    assert (
        refused("[app]\nallowed_post_events = [" + '"a",' * (MAX_VALUES + 1) + "]").where == "app.allowed_post_events"
    )
    assert refused("measurements = 1").where == refused("[measurements]").where == "measurements"
    assert refused("measurements = [1]").where == "measurements[0]"
