"""One request of each kind, as a vendor's client is given it, and a certificate for a vendor's name."""

import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bmn.providers.bfl import ImageRequest
from bmn.providers.gohighlevel import Contact
from bmn.providers.resend import Mail

BFL_PROMPT = (
    'Professional brand logo for "Acme". Style: modern. Colors: #112233, #AABBCC. Brand vision: v. Variation: icon.'
)
BFL_REQUEST = ImageRequest(BFL_PROMPT, seed=7, width=256, height=256)

SYSTEM = "You help with a brand. Step: brand-identity."
ASK: list[dict[str, Any]] = [{"role": "user", "content": "Brand: Acme"}]
TOOLS = [
    {
        "name": "read_brand",
        "description": "Reads the brand's record.",
        "input_schema": {"type": "object", "properties": {}},
    }
]

MAIL = Mail("ana@example.org", "Welcome", "<p>Hi</p>", "Hi", {"template": "welcome", "user": "ana@example.org"})


def person(**fields: str) -> Contact:
    return Contact(f"{uuid4().hex[:8]}@example.org", name="Ana Li", fields=fields)


def certificate(name: str, folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
