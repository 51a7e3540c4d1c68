"""Bundles whose evidence does not hold, is about something else, or is not what a policy accepts: checks 22 to 30.

All of it is simulated, so that anybody can make it again; a verifier that takes simulated evidence of this root and
this guest accepts the bundle that all of them are made from.
"""

import json
from collections.abc import Iterator, Mapping

from near_tee_cli.attest.environment import HARDWARE, SIMULATED, Environment
from near_tee_cli.attest.evidence import Evidence
from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.attest.report_data import Binding, NearTeeBinding, RawKey, Scope, report_data_of
from near_tee_cli.attest.simulator import DEFAULT_COMPOSE, SimulatedGuest
from near_tee_cli.attest.synthetic_pki import Platform
from near_tee_cli.proof.bundle import EVIDENCE, Attachment, Bundle, encode_bundle
from near_tee_cli.proof.evidence_part import EvidencePart, attached, encode_evidence
from near_tee_cli.proof.signatures import sign_bundle
from tests.reject.entry import Entry
from tests.reject.signed import BUNDLE, KEYS, OTHER, signing

ISSUED = 1_790_000_000
NOW = ISSUED + 86_400
DAY = 86_400
SEED = b"near-tee must-reject corpus"
GUEST = SimulatedGuest(seed=SEED, issued=ISSUED)
POLICY, ROOT, COLLATERAL = "policy.toml", "root.der", "collateral.json"


def guest(*misbehave: str, compose: bytes = DEFAULT_COMPOSE, **platform) -> SimulatedGuest:
    """The guest, but for what is said."""
    return SimulatedGuest(
        seed=SEED,
        issued=ISSUED,
        compose=compose,
        platform=Platform(**platform),
        misbehave=frozenset(misbehave),
    )


def binding(number: int = 0, **changes) -> NearTeeBinding:
    """What the quote of a key binds."""
    plain = NearTeeBinding(KEYS[number], b"", 0, bytes(32), Scope.KEY, bytes(32))
    return plain._replace(**changes)


def part(of: SimulatedGuest = GUEST, bound: Binding | None = None, **changes) -> EvidencePart:
    """Evidence of a guest that binds the first key."""
    bound = binding() if bound is None else bound
    handed_out = of.answer("Info", {})[1]["tcb_info"]
    compose = json.loads(handed_out)["app_compose"].encode() if isinstance(handed_out, str) else of.compose
    evidence = Evidence(of.quote(report_data_of(bound)), of.pki.collateral(), of.event_log.encode(), compose, bound)
    return EvidencePart(evidence._replace(**changes), None)


def with_evidence(evidence: EvidencePart, *, bundle: Bundle = BUNDLE, mode: str = SIMULATED, number: int = 0) -> bytes:
    """The bundle, signed by a key that says it lives where `evidence` tells, with that evidence."""
    environment = Environment(mode, parse_quote(evidence.evidence.quote).identity)
    signed = sign_bundle(bundle, **signing(number), environment=environment)
    return encode_bundle(signed._replace(attachments=tuple(sorted({*signed.attachments, attached(evidence)}))))


def policy(*, of: SimulatedGuest = GUEST, **sections: str) -> bytes:
    """A policy that accepts a guest, with other sections in the place of its own."""
    registers = "".join(f'rtmr{at} = "{of.registers[at].hex()}"\n' for at in range(3))
    own = {
        "measurements": f'[[measurements]]\nlabel = "simulated"\nmrtd = "{of.mr_td.hex()}"\n{registers}',
        "app": f'[app]\ncompose_hashes = ["{of.compose_hash.hex()}"]\n',
    }
    texts = {**own, **{name: f"[{name}]\n{text}\n" if text else "" for name, text in sections.items()}}
    return ("version = 1\n" + "\n".join(texts.values())).encode()


def flags(*more: str, time: int = NOW) -> tuple[str, ...]:
    """What asks for simulated evidence under the policy."""
    return ("--policy", POLICY, "--time", str(time), "--allow-dev-evidence", "--dev-root", ROOT, "--no-replay", *more)


def entry(name: str, threat: str, reason: str, data: bytes, check: int, code: str, **more) -> Entry:
    """An entry, which lies beside policy and root."""
    accepts = more.pop("policy", policy())
    asks = more.pop("flags", flags())
    files = ((POLICY, accepts), (ROOT, GUEST.pki.root), *more.pop("files", ()))
    return Entry(f"attested-{name}", (threat,), reason, data, check, code, asks, files=files)


def accepted() -> bytes:
    """The one that all others are made from, and which is accepted."""
    return with_evidence(part())


def entries() -> Iterator[Entry]:
    """All of them."""
    yield from _about_something_else()
    yield from _misbehaving()
    yield from _logs()
    yield from _composed()
    yield from _judged()
    yield from _timed()
    yield from _malformed()


def _about_something_else() -> Iterator[Entry]:
    yield entry("stolen", "B10", "evidence of a genuine key beside the signature of another",
                with_evidence(part(bound=binding(1))), 22, "key-not-bound")  # fmt: skip
    yield entry("raw-key-stolen", "B10", "the same with a quote that binds nothing but a key",
                with_evidence(part(bound=RawKey(KEYS[1]))), 22, "key-not-bound",
                policy=policy(binding='profiles = ["raw-ed25519"]'))  # fmt: skip
    yield entry("other-claim", "B11", "a quote that was made for one claim beside another",
                with_evidence(part(bound=binding(scope=Scope.CLAIM, scope_digest=OTHER.claim_digest))),
                22, "other-claim")  # fmt: skip
    again = part(bound=binding(challenge=b"again"))
    environment = Environment(SIMULATED, parse_quote(part().evidence.quote).identity)
    signed = sign_bundle(BUNDLE, **signing(0), environment=environment)
    exchanged = signed._replace(attachments=tuple(sorted({*signed.attachments, attached(again)})))
    yield entry("exchanged", "B10", "other evidence of the same key than its signature names",
                encode_bundle(exchanged), 22, "evidence-mismatch")  # fmt: skip
    silent = sign_bundle(BUNDLE, **signing(0))
    silent = silent._replace(attachments=tuple(sorted({*silent.attachments, attached(part())})))
    yield entry("unnamed", "B8", "a bound key that signed without saying where it lives",
                encode_bundle(silent), 22, "evidence-mismatch")  # fmt: skip
    yield entry("as-hardware", "B8", "simulated evidence that claims to be hardware",
                with_evidence(part(), mode=HARDWARE), 23, "other-root")  # fmt: skip
    yield entry("not-allowed", "B8", "simulated evidence where nobody said that it will do", accepted(), 23,
                "evidence-simulated", flags=("--policy", POLICY, "--time", str(NOW), "--no-replay"))  # fmt: skip
    bare = accepted()
    yield entry("no-policy", "B11", "evidence without a policy that accepts anything", bare, 24, "no-policy",
                flags=("--require", "attested", "--time", str(NOW), "--allow-dev-evidence"))  # fmt: skip
    lie = part()
    for name, bound in (
        ("profile", RawKey(KEYS[0])),
        ("challenge", binding(challenge=b"yours")),
        ("anchor", binding(anchor_height=7)),
        ("anchor-hash", binding(anchor_hash=b"\1" * 32)),
        ("scope", binding(scope=Scope.CLAIM, scope_digest=BUNDLE.claim_digest)),
    ):
        changed = lie._replace(evidence=lie.evidence._replace(binding=bound))
        yield entry(f"declared-{name}", "B8", f"a quote that is said to bind another {name} than it does",
                    with_evidence(changed), 22, "report-data-mismatch")  # fmt: skip


def _misbehaving() -> Iterator[Entry]:
    for name, check, code, reason in (
        ("forged-quote", 23, "quote-forged", "a quote with another signature"),
        ("other-root", 23, "other-root", "a quote that leads to another root"),
        ("debug", 23, "td-debug", "a guest that can be debugged"),
        ("sept-ve", 23, "td-sept-ve", "a guest whose host can take pages away unseen"),
        ("revoked", 23, "certificate-revoked", "a machine whose certificate was revoked"),
        ("expired", 23, "evidence-expired", "collateral that is out of date"),
        ("wrong-measurements", 26, "event-log-mismatch", "registers that the log does not lead to"),
        ("dropped-event", 26, "event-log-mismatch", "a log that leaves an event out"),
        ("reordered-events", 26, "event-log-mismatch", "a log in another order"),
        ("forged-compose", 26, "event-digest-mismatch", "another compose hash under the digest of the measured one"),
        ("repeated-event", 26, "event-repeated", "a compose hash that was measured twice"),
        ("ambiguous-event", 26, "event-ambiguous", "an event whose name could be read in two ways"),
        ("late-event", 26, "event-late", "a compose hash that the application measured itself"),
        ("other-compose", 27, "compose-hash-mismatch", "another compose file than the one that was measured"),
        ("app-event", 27, "post-event-not-allowed", "an event of the application that nobody allowed"),
        ("other-image", 28, "measurements-not-allowed", "another image"),
    ):
        yield entry(name, "B8", reason, with_evidence(part(guest(name))), check, code)
    for status in ("SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
                   "OutOfDateConfigurationNeeded"):  # fmt: skip
        yield entry(f"tcb-{status.lower()}", "B8", f"a platform that is {status}",
                    with_evidence(part(guest(status=status))), 24, "tcb-status")  # fmt: skip
    yield entry("tcb-revoked", "B8", "a platform whose level Intel would have revoked",
                with_evidence(part(guest(status="Revoked"))), 23, "tcb-revoked")  # fmt: skip
    yield entry("tcb-quoting-enclave", "B8", "a quoting enclave that is out of date",
                with_evidence(part(guest(qe_status="OutOfDate"))), 24, "tcb-status")  # fmt: skip
    yield entry("tcb-advisory", "B8", "a platform with an advisory that the policy rejects",
                with_evidence(part(guest(advisory_ids=("INTEL-SA-00001",)))), 24, "advisory-rejected",
                policy=policy(tcb='reject_advisories = ["INTEL-SA-00001"]'))  # fmt: skip


def _logs() -> Iterator[Entry]:
    events = json.loads(GUEST.event_log)

    def logged(changed: object) -> bytes:
        return with_evidence(part(event_log=json.dumps(changed).encode()))

    def changed(name: str, **members: object) -> list[object]:
        return [{**event, **members} if event["event"] == name else event for event in events]

    for name, log, code, reason in (
        ("empty", [], "register-not-logged", "an empty log"),
        ("object", {"events": events}, "bad-event-log", "a log that is no list"),
        ("renamed", changed("instance-id", event="instance"), "event-digest-mismatch", "an event under another name"),
        ("payload", changed("instance-id", event_payload="00" * 20), "event-digest-mismatch",
         "an event with another payload"),
        ("digest", changed("instance-id", digest="00" * 48), "event-digest-mismatch", "an event with another digest"),
        ("type", changed("instance-id", event_type=1), "event-type-mismatch", "an event of another type"),
        ("register", changed("instance-id", imr=4), "bad-event-log", "an event of a register that there is not"),
        ("boot-digest", [{**events[0], "digest": "11" * 48}, *events[1:]], "event-log-mismatch",
         "another digest of a boot event"),
        ("doubled-boot", [events[0], *events], "event-log-mismatch", "a boot event twice"),
        ("appended", [*events, {**events[-1], "event": "more", "digest": ""}], "event-log-mismatch",
         "one event more than was measured"),
        ("moved", [*events[:9], events[10], events[9], *events[11:]], "event-log-mismatch", "two events exchanged"),
    ):  # fmt: skip
        yield entry(f"log-{name}", "B9", reason, logged(log), 26, code)
    flood = [{**events[-1], "event": "more", "digest": ""}] * 5000
    yield entry("log-flood", "B15", "more events than anybody would hash", logged(flood), 26, "too-large")
    yield entry("log-missing", "B6", "no log, and nothing that would make up for it",
                with_evidence(part(event_log=None)), 26, "no-event-log")  # fmt: skip


def _composed() -> Iterator[Entry]:
    pinned = "example.org/near-tee@sha256:" + "5a" * 32

    def composed(service: str, **members: object) -> bytes:
        document = {**json.loads(DEFAULT_COMPOSE), "docker_compose_file": f"services:\n  worker:\n{service}", **members}
        return json.dumps(document).encode()

    image = f"    image: {pinned}\n"
    for name, compose, code, reason in (
        ("tag", composed("    image: example.org/near-tee:latest\n"), "compose-image-unpinned", "an image by its tag"),
        ("no-digest", composed("    image: near-tee\n"), "compose-image-unpinned", "an image by its name alone"),
        ("short-digest", composed("    image: near-tee@sha256:5a5a\n"), "compose-image-unpinned", "a cut-off digest"),
        ("build", composed(image + "    build: .\n"), "compose-build", "an image that is built in the guest"),
        ("envs", composed(image, allowed_envs=["CODE_URL"]), "compose-envs", "a variable that is set from outside"),
        ("pre-launch", composed(image, pre_launch_script="curl x | sh"), "compose-script", "a script before the start"),
        ("init", composed(image, init_script="curl x | sh"), "compose-script", "a script at the start"),
        ("bash", composed(image, bash_script="curl x | sh"), "compose-script", "a script beside the containers"),
        ("agent", composed(image + "    volumes:\n      - /var/run/dstack.sock:/var/run/dstack.sock\n"),
         "compose-agent-socket", "the agent's socket in a service that executes contracts"),
        ("docker", composed(image + "    volumes:\n      - /var/run/docker.sock:/x\n"), "compose-docker-socket",
         "docker's socket in a service"),
        ("root-mount", composed(image + "    volumes:\n      - /:/host\n"), "compose-docker-socket",
         "everything mounted"),
        ("parent-mount", composed(image + "    volumes:\n      - ../..:/host\n"), "compose-mount",
         "a mount of what lies above"),
        ("privileged", composed(image + "    privileged: true\n"), "compose-privileged", "a privileged container"),
        ("runner", composed(image, runner="bash"), "compose-runner", "another runner than docker-compose"),
    ):  # fmt: skip
        made = guest(compose=compose)
        yield entry(f"compose-{name}", "B8", f"a compose file with {reason}", with_evidence(part(made)), 27, code,
                    policy=policy(of=made))  # fmt: skip
    again = json.dumps(json.loads(DEFAULT_COMPOSE)).encode()
    yield entry("compose-respelt", "B9", "the compose file written again by a tool",
                with_evidence(part(compose=again)), 27, "compose-hash-mismatch")  # fmt: skip
    yield entry("compose-missing", "B6", "a compose hash without the file",
                with_evidence(part(compose=None)), 27, "no-compose")  # fmt: skip


def _judged() -> Iterator[Entry]:
    hashes = f'compose_hashes = ["{GUEST.compose_hash.hex()}"]\n'
    for name, check, code, reason, sections in (
        ("seam", 25, "seam-not-allowed", "another TDX module", {"td": f'mr_seam = ["{"11" * 48}"]'}),
        ("compose-hash", 27, "compose-hash-not-allowed",
         "another application", {"app": f'compose_hashes = ["{"11" * 32}"]'}),
        ("no-compose-hash", 27, "compose-hash-not-allowed", "an application where none is listed", {"app": ""}),
        ("app-id", 27, "app-id-not-allowed", "another app id", {"app": f'{hashes}app_ids = ["{"11" * 20}"]'}),
        ("key-provider", 27, "key-provider-not-allowed", "keys from elsewhere",
         {"app": f'{hashes}key_providers = [{{ name = "tpm" }}]'}),
        ("no-measurements", 28, "measurements-not-allowed", "any measurements where none are listed",
         {"measurements": "", "tcb": 'allowed = ["UpToDate"]'}),
        ("ppid", 29, "ppid-not-allowed", "a machine that is not listed", {"platform": f'ppids = ["{"11" * 16}"]'}),
        ("profile", 22, "profile-not-allowed", "a profile that is not accepted", {"binding": 'profiles = ["mpc-v1"]'}),
    ):  # fmt: skip
        accepts = policy(**sections)
        if name == "no-measurements":
            accepts = accepts.replace(b"[measurements]\n", b"")
        yield entry(f"policy-{name}", "B11", f"a policy that refuses {reason}", accepted(), check, code, policy=accepts)
    for register in ("mrtd", "rtmr0", "rtmr1", "rtmr2"):
        sections = policy().decode()
        line = next(line for line in sections.splitlines() if line.startswith(register))
        accepts = sections.replace(line, f'{register} = "{"11" * 48}"').encode()
        yield entry(f"policy-{register}", "B11", f"a set of measurements that differs in {register} alone", accepted(),
                    28, "measurements-not-allowed", policy=accepts)  # fmt: skip


def _timed() -> Iterator[Entry]:
    yield entry("early", "B11", "evidence from after the verifier's time", accepted(), 23, "evidence-not-yet-valid",
                flags=flags(time=ISSUED - DAY))  # fmt: skip
    yield entry("late", "B11", "evidence whose collateral is over", accepted(), 23, "evidence-expired",
                flags=flags(time=ISSUED + 400 * DAY))  # fmt: skip
    yield entry("challenge", "B11", "evidence that answers no challenge", accepted(), 30, "challenge-mismatch",
                flags=flags("--challenge", "00ff"))  # fmt: skip
    anchored = with_evidence(part(bound=binding(anchor_height=100, anchor_hash=b"\1" * 32)))
    accepts = policy(binding="max_anchor_age_blocks = 10")
    yield entry("anchor-old", "B11", "evidence of another time by the chain", anchored, 30, "anchor-too-old",
                policy=accepts, flags=flags("--at", "200", "--at", "100:" + "01" * 32))  # fmt: skip
    yield entry("anchor-unknown", "B11", "evidence that names a block which nobody knows", anchored, 30,
                "anchor-unknown", policy=accepts, flags=flags("--at", "105"))  # fmt: skip
    yield entry("anchor-mismatch", "B11", "evidence that names a block of another chain", anchored, 30,
                "anchor-mismatch", flags=flags("--at", "100:" + "02" * 32))  # fmt: skip


def _malformed() -> Iterator[Entry]:
    good = part()
    collateral = json.loads(good.evidence.collateral or b"{}")

    def with_collateral(**members: object) -> bytes:
        changed: Mapping[str, object] = {**collateral, **members}
        return with_evidence(part(collateral=json.dumps(changed).encode()))

    for name, data, code, reason in (
        ("tcb-info", with_collateral(tcb_info=collateral["tcb_info"] + " "), "collateral-forged",
         "TCB info with a blank more"),
        ("qe-identity", with_collateral(qe_identity=collateral["qe_identity"] + " "), "collateral-forged",
         "an enclave identity with a blank more"),
        ("empty", with_evidence(part(collateral=b"{}")), "bad-collateral", "collateral that is none"),
        ("missing", with_evidence(part(collateral=None)), "no-collateral", "no collateral"),
    ):  # fmt: skip
        yield entry(f"collateral-{name}", "B9", reason, data, 23, code)
    signed = sign_bundle(BUNDLE, **signing(0))
    text = encode_evidence(good)
    for name, data, reason in (
        ("empty", b"", "evidence of no bytes"),
        ("blank", text + b" ", "evidence with a blank more"),
        ("unsorted", b"{" + text[1:-2].replace(b'"type":"tdx-dstack-v1",', b"") + b"}\n", "evidence without its type"),
        ("kind", text.replace(b"tdx-dstack-v1", b"tdx-dstack-v9"), "evidence of a kind that nobody knows"),
        ("base64", text.replace(b'"quote":"', b'"quote":"*'), "a quote that is no base64"),
    ):
        attachments = tuple(sorted({*signed.attachments, Attachment(EVIDENCE, data)}))
        yield entry(f"malformed-{name}", "B3", reason, encode_bundle(signed._replace(attachments=attachments)), 22,
                    "bad-evidence")  # fmt: skip
