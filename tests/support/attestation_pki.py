"""A public key infrastructure like Intel's, with a root of its own: quotes and collateral of any content, signed.

Keys are derived from fixed numbers, so that everything but the ECDSA signatures repeats. Nothing made here is accepted
under Intel's root.
"""

import datetime as dt
import hashlib
import json
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

START = 1_800_000_000
"""Issue date of everything, Unix seconds."""
END = START + 30 * 86_400
NOW = START + 86_400
LONG = 20 * 365 * 86_400

FMSPC = bytes.fromhex("50806f000000")
PPID = bytes.fromhex("00112233445566778899aabbccddeeff")
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
QE_SIGNER = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")
AUTH = bytes(range(32))
SEPT_VE_DISABLE = 1 << 28
_INTEL = "1.2.840.113741.1.13.1"


def _date(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _text(seconds: int) -> str:
    return _date(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(0x5EED_0000 + number, ec.SECP256R1())


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _raw_public(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


# DER, as far as the extension of a machine's certificate needs it.


def _der(tag: int, content: bytes) -> bytes:
    size = bytes([len(content)]) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")
    return bytes([tag]) + size + content


def _oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    out = bytearray([first * 40 + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        out += bytes(reversed(groups))
    return _der(6, bytes(out))


def _pair(oid: str, value: bytes) -> bytes:
    return _der(0x30, _oid(oid) + value)


def _integer(value: int) -> bytes:
    return _der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _intel_extension(cpu_svn: bytes, pce_svn: int, flags: tuple[bool, bool, bool] | None) -> bytes:
    svns = b"".join(_pair(f"{_INTEL}.2.{at + 1}", _integer(svn)) for at, svn in enumerate(cpu_svn))
    svns += _pair(f"{_INTEL}.2.17", _integer(pce_svn)) + _pair(f"{_INTEL}.2.18", _der(4, cpu_svn))
    content = (
        _pair(f"{_INTEL}.1", _der(4, PPID))
        + _pair(f"{_INTEL}.2", _der(0x30, svns))
        + _pair(f"{_INTEL}.3", _der(4, bytes(2)))
        + _pair(f"{_INTEL}.4", _der(4, FMSPC))
        + _pair(f"{_INTEL}.5", _der(10, b"\x01"))
    )
    if flags is not None:
        named = b"".join(
            _pair(f"{_INTEL}.7.{at + 1}", _der(1, b"\xff" if on else b"\0")) for at, on in enumerate(flags)
        )
        content += _pair(f"{_INTEL}.6", _der(4, bytes(16))) + _pair(f"{_INTEL}.7", _der(0x30, named))
    return _der(0x30, content)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: str, number: int, issuer: str, issuer_number: int, *, ca: bool, extension: bytes | None = None
) -> x509.Certificate:
    key, signer = _key(number), _key(issuer_number)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(1000 + number)
        .not_valid_before(_date(START - 86_400))
        .not_valid_after(_date(START + LONG))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if ca:
        usage = x509.KeyUsage(
            *([False] * 5), key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False
        )
        builder = builder.add_extension(usage, critical=True)
    if extension is not None:
        oid = x509.ObjectIdentifier(_INTEL)
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, extension), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _pem(*certificates: x509.Certificate) -> str:
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)


def _der_bytes(item) -> bytes:
    return item.public_bytes(serialization.Encoding.DER)


def _crl(issuer: str, number: int, revoked: tuple[int, ...], start: int, end: int) -> bytes:
    signer = _key(number)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(_name(issuer))
        .last_update(_date(start))
        .next_update(_date(end))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_date(start)).build()
        builder = builder.add_revoked_certificate(entry)
    return _der_bytes(builder.sign(signer, hashes.SHA256()))


_ROOT, _PCK_CA, _TCB, _PCK, _ATTESTATION = range(5)
_ROOT_NAME, _CA_NAME, _TCB_NAME, _PCK_NAME = "Test Root CA", "Test PCK Platform CA", "Test TCB Signing", "Test PCK"


def _root(shift: int = 0) -> x509.Certificate:
    return _certificate(_ROOT_NAME, _ROOT + shift, _ROOT_NAME, _ROOT + shift, ca=True)


def root_der(*, shift: int = 0) -> bytes:
    """The root certificate; another `shift` gives another root of the same name."""
    return _der_bytes(_root(shift))


@cache
def _chain(cpu_svn: bytes, pce_svn: int, flags: tuple[bool, bool, bool] | None) -> str:
    return _pem(
        _certificate(_PCK_NAME, _PCK, _CA_NAME, _PCK_CA, ca=False, extension=_intel_extension(cpu_svn, pce_svn, flags)),
        _certificate(_CA_NAME, _PCK_CA, _ROOT_NAME, _ROOT, ca=True),
        _root(),
    )


def td_body(
    *,
    version_15: bool = False,
    td_attributes: int = SEPT_VE_DISABLE,
    report_data: bytes = bytes(64),
    mr_td: bytes = bytes([1]) * 48,
    registers: tuple[bytes, ...] = (bytes([2]) * 48, bytes([3]) * 48, bytes([4]) * 48, bytes(48)),
    mr_config_id: bytes = bytes(48),
    mr_signer_seam: bytes = bytes(48),
    mr_service_td: bytes = bytes(48),
    tee_tcb_svn: bytes = bytes([5]) + bytes(15),
) -> bytes:
    """A TD report, 584 or 648 bytes."""
    body = (
        tee_tcb_svn + bytes([7]) * 48 + mr_signer_seam + bytes(8) + td_attributes.to_bytes(8, "little")
        + bytes.fromhex("e702060000000000") + mr_td + mr_config_id + bytes(96) + b"".join(registers) + report_data
    )  # fmt: skip
    return body + tee_tcb_svn + mr_service_td if version_15 else body


def _qe_report(*, isv_svn: int, signer: bytes, debug: bool) -> bytes:
    report = bytearray(384)
    report[48:64] = bytes([0x17 if debug else 0x15]) + bytes(7) + bytes([0xE7]) + bytes(7)
    report[128:160] = signer
    report[256:260] = (2).to_bytes(2, "little") + isv_svn.to_bytes(2, "little")
    report[320:352] = hashlib.sha256(_raw_public(_key(_ATTESTATION)) + AUTH).digest()
    return bytes(report)


def quote(
    *,
    version: int = 4,
    cpu_svn: bytes = bytes([5]) * 16,
    pce_svn: int = 11,
    flags: tuple[bool, bool, bool] | None = (True, True, True),
    with_chain: bool = True,
    qe_isv_svn: int = 8,
    qe_signer: bytes = QE_SIGNER,
    qe_debug: bool = False,
    version_15: bool = False,
    **body,
) -> bytes:
    """A TDX quote."""
    raw = td_body(version_15=version_15, **body)
    header = version.to_bytes(2, "little") + (2).to_bytes(2, "little") + (0x81).to_bytes(4, "little") + bytes(4)
    signed = header + VENDOR + bytes(20)
    if version == 5:
        signed += (3 if version_15 else 2).to_bytes(2, "little") + len(raw).to_bytes(4, "little")
    signed += raw
    report = _qe_report(isv_svn=qe_isv_svn, signer=qe_signer, debug=qe_debug)
    chain = _chain(cpu_svn, pce_svn, flags).encode() if with_chain else b"reference"
    certified = (
        report + _sign(_key(_PCK), report) + len(AUTH).to_bytes(2, "little") + AUTH
        + (5 if with_chain else 3).to_bytes(2, "little") + len(chain).to_bytes(4, "little") + chain
    )  # fmt: skip
    data = _sign(_key(_ATTESTATION), signed) + _raw_public(_key(_ATTESTATION))
    data += (6).to_bytes(2, "little") + len(certified).to_bytes(4, "little") + certified
    return signed + len(data).to_bytes(4, "little") + data


def level(status: str, *, sgx: int = 0, tdx: int = 0, pce: int = 0, advisories: tuple[str, ...] = ()) -> dict:
    """A level of trusted components; `sgx` and `tdx` are asked of the first component of each."""
    first = {"svn": sgx, "category": "BIOS", "type": "Early Microcode Update"}
    return {
        "tcb": {
            "sgxtcbcomponents": [first] + [{"svn": 0}] * 15,
            "pcesvn": pce,
            "tdxtcbcomponents": [{"svn": tdx}] + [{"svn": 0}] * 15,
        },
        "tcbDate": "2026-01-01T00:00:00Z",
        "tcbStatus": status,
        **({"advisoryIDs": list(advisories)} if advisories else {}),
    }


def collateral(
    *,
    levels: tuple[dict, ...] = (),
    status: str = "UpToDate",
    modules: tuple[dict, ...] = (),
    start: int = START,
    end: int = END,
    crl_end: int = END + 86_400,
    fmspc: bytes = FMSPC,
    evaluation: int = 20,
    qe_status: str = "UpToDate",
    revoke_pck: bool = False,
    revoke_tcb: bool = False,
    with_chain: bool = False,
) -> bytes:
    """Collateral as JSON."""
    tcb_info = json.dumps(
        {
            "id": "TDX",
            "version": 3,
            "issueDate": _text(start),
            "nextUpdate": _text(end),
            "fmspc": fmspc.hex().upper(),
            "pceId": "0000",
            "tcbType": 0,
            "tcbEvaluationDataNumber": evaluation,
            "tdxModule": {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8},
            "tdxModuleIdentities": list(modules),
            "tcbLevels": list(levels) or [level(status)],
        },
        separators=(",", ":"),
    )
    qe_identity = json.dumps(
        {
            "id": "TD_QE",
            "version": 2,
            "issueDate": _text(start),
            "nextUpdate": _text(end),
            "tcbEvaluationDataNumber": evaluation,
            "miscselect": "00000000",
            "miscselectMask": "FFFFFFFF",
            "attributes": "11000000000000000000000000000000",
            "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
            "mrsigner": QE_SIGNER.hex().upper(),
            "isvprodid": 2,
            "tcbLevels": [{"tcb": {"isvsvn": 4}, "tcbDate": "2026-01-01T00:00:00Z", "tcbStatus": qe_status}],
        },
        separators=(",", ":"),
    )
    signer = _certificate(_TCB_NAME, _TCB, _ROOT_NAME, _ROOT, ca=False)
    document = {
        "pck_crl_issuer_chain": _pem(_certificate(_CA_NAME, _PCK_CA, _ROOT_NAME, _ROOT, ca=True), _root()),
        "root_ca_crl": _crl(_ROOT_NAME, _ROOT, (1000 + _TCB,) if revoke_tcb else (), start, crl_end).hex(),
        "pck_crl": _crl(_CA_NAME, _PCK_CA, (1000 + _PCK,) if revoke_pck else (), start, crl_end).hex(),
        "tcb_info_issuer_chain": _pem(signer, _root()),
        "tcb_info": tcb_info,
        "tcb_info_signature": _sign(_key(_TCB), tcb_info.encode()).hex(),
        "qe_identity_issuer_chain": _pem(signer, _root()),
        "qe_identity": qe_identity,
        "qe_identity_signature": _sign(_key(_TCB), qe_identity.encode()).hex(),
    }
    if with_chain:
        document["pck_certificate_chain"] = _chain(bytes([5]) * 16, 11, (True, True, True))
    return json.dumps(document).encode()
