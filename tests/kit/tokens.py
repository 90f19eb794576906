"""A Supabase project of the tests' own: its keys, its key server, good tokens, and every forgery we know.

project = Project()
with project.serving():                      # answers the key set on a local port
    settings = load_settings(**project.settings())
    project.token(user_id)                   # a good one
    project.forgeries()                      # name -> token; each must be refused alike
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.kit.people import ANA

SECRET_KEY = "sb_secret_of_the_project"
SECRET = "a-shared-secret-of-the-project-that-is-long-enough"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _jwk(private: Any, kid: str) -> dict[str, Any]:
    algorithm: Any = (
        jwt.algorithms.ECAlgorithm if isinstance(private, ec.EllipticCurvePrivateKey) else (jwt.algorithms.RSAAlgorithm)
    )
    name = "ES256" if algorithm is jwt.algorithms.ECAlgorithm else "RS256"
    return {**algorithm.to_jwk(private.public_key(), as_dict=True), "kid": kid, "alg": name, "use": "sig"}


def _pem(private: Any) -> bytes:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem: bytes = private.public_key().public_bytes(serialization.Encoding.PEM, spki)
    return pem


def _raw(header: dict[str, Any], claims: Any, key: bytes = b"") -> str:
    """Signed with HMAC by hand, since the library rightly refuses to make most of these."""
    text = claims if isinstance(claims, str) else json.dumps(claims)
    body = f"{_b64(json.dumps(header).encode())}.{_b64(text.encode())}"
    signature = _b64(hmac.new(key, body.encode(), hashlib.sha256).digest()) if key else ""
    return f"{body}.{signature}"


class Project:
    def __init__(self) -> None:
        self.ec_key = ec.generate_private_key(ec.SECP256R1())
        self.rsa_key = rsa.generate_private_key(65537, 2048)
        self.keys = [_jwk(self.ec_key, "ec-1"), _jwk(self.rsa_key, "rsa-1")]
        self.requests = 0
        self.status = 200
        self.body: bytes | None = None
        self.users: dict[str, dict[str, Any]] = {}
        self.url = "https://project.supabase.test"

    @property
    def issuer(self) -> str:
        return f"{self.url}/auth/v1"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """The project's key address, on a port of this machine."""
        project = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                project.requests += 1
                if self.path.startswith("/auth/v1/admin/users/"):
                    self._tell_user(self.path.rsplit("/", 1)[1])
                    return
                body = json.dumps({"keys": project.keys}).encode() if project.body is None else project.body
                self.send_response(project.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _tell_user(self, user_id: str) -> None:
                told = project.users.get(user_id)
                allowed = self.headers["apikey"] == SECRET_KEY
                self.send_response(project.status if project.status != 200 or (allowed and told) else 404)
                self.end_headers()
                self.wfile.write(json.dumps({"id": user_id, **(told or {})}).encode())

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def settings(self) -> dict[str, Any]:
        return {"supabase_url": self.url, "supabase_jwt_secret": SECRET}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": ANA,
            "aud": "authenticated",
            "iat": now,
            "exp": now + 600,
            "role": "authenticated",
            "email": "ana@example.org",
            "app_metadata": {"provider": "email"},
            "user_metadata": {},
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def token(self, user_id: str = ANA, algorithm: str = "ES256", **changes: Any) -> str:
        keys: dict[str, tuple[Any, str | None]] = {
            "ES256": (self.ec_key, "ec-1"),
            "RS256": (self.rsa_key, "rsa-1"),
            "HS256": (SECRET, None),
        }
        key, kid = keys[algorithm]
        headers = {"kid": kid} if kid else {}
        return jwt.encode(self.claims(sub=user_id, **changes), key, algorithm=algorithm, headers=headers)

    def forgeries(self) -> dict[str, str]:
        """Every one must be refused, and all with the same words."""
        now, good = int(time.time()), self.token()
        head, body, signature = good.split(".")
        stranger = ec.generate_private_key(ec.SECP256R1())
        strong = rsa.generate_private_key(65537, 2048)

        def es(key: Any = self.ec_key, headers: dict[str, Any] | None = None, **changes: Any) -> str:
            return jwt.encode(
                self.claims(**changes), key, algorithm="ES256", headers={"kid": "ec-1", **(headers or {})}
            )

        def hs(**changes: Any) -> str:
            return jwt.encode(self.claims(**changes), SECRET, algorithm="HS256")

        admin = _b64(json.dumps(self.claims(app_metadata={"role": "admin"})).encode())
        infinite = json.dumps(self.claims()).replace(f'"exp": {self.claims()["exp"]}', '"exp": 1e999')
        header = {"alg": "HS256", "typ": "JWT"}
        return {
            "alg none": _raw({"alg": "none"}, self.claims()),
            "alg None": _raw({"alg": "None", "kid": "ec-1"}, self.claims()),
            "alg empty": _raw({"alg": ""}, self.claims()),
            "alg missing": _raw({"typ": "JWT"}, self.claims(), SECRET.encode()),
            "alg a list": _raw({"alg": ["HS256"]}, self.claims(), SECRET.encode()),
            "HS256 with the EC public key": _raw({**header, "kid": "ec-1"}, self.claims(), _pem(self.ec_key)),
            "HS256 with the RSA public key": _raw({**header, "kid": "rsa-1"}, self.claims(), _pem(self.rsa_key)),
            "HS256 with the JWK as text": _raw(header, self.claims(), json.dumps(self.keys[0]).encode()),
            "HS256 with an empty key": _raw(header, self.claims(), b"\0"),
            "HS256 with another secret": _raw(header, self.claims(), b"guess" * 8),
            "HS384 with the right secret": jwt.encode(self.claims(), SECRET + SECRET, algorithm="HS384"),
            "ES256 with a stranger's key": es(stranger),
            "ES256 under the RSA key's id": es(headers={"kid": "rsa-1"}),
            "RS256 under the EC key's id": jwt.encode(
                self.claims(), self.rsa_key, algorithm="RS256", headers={"kid": "ec-1"}
            ),
            "RS256 with a stranger's key": jwt.encode(
                self.claims(), strong, algorithm="RS256", headers={"kid": "rsa-1"}
            ),
            "PS256 with the right key": jwt.encode(
                self.claims(), self.rsa_key, algorithm="PS256", headers={"kid": "rsa-1"}
            ),
            "kid unknown": es(headers={"kid": "ec-2"}),
            "kid missing": jwt.encode(self.claims(), self.ec_key, algorithm="ES256"),
            "kid a path": es(headers={"kid": "../../../../dev/null"}),
            "kid an SQL injection": es(headers={"kid": "' UNION SELECT 'x"}),
            "key inside the header": es(stranger, {"jwk": _jwk(stranger, "ec-1")}),
            "key address inside the header": es(
                stranger, {"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1"}
            ),
            "crit header": es(headers={"crit": ["exp"]}),
            "issuer of another project": es(iss="https://evil.supabase.co/auth/v1"),
            "issuer missing": es(iss=...),
            "issuer of the project's keys": es(iss="supabase"),
            "issuer of development": hs(iss="bmn-development"),
            "audience other": es(aud="anon"),
            "audience a list": es(aud=["authenticated", "other"]),
            "audience missing": es(aud=...),
            "expired": es(exp=now - 31),
            "exp missing": es(exp=...),
            "exp a word": hs(exp="tomorrow"),
            "exp infinite": _raw(header, infinite, SECRET.encode()),
            "not valid yet": es(nbf=now + 120),
            "issued in the future": es(iat=now + 120),
            "sub missing": es(sub=...),
            "sub no uuid": es(sub="admin"),
            "sub a uuid in braces": es(sub="{" + ANA + "}"),
            "sub a number": _raw(header, self.claims(sub=1), SECRET.encode()),
            "anon key": hs(role="anon"),
            "service key": hs(role="service_role"),
            "legacy anon key": _raw(header, {"iss": "supabase", "role": "anon", "exp": now + 600}, SECRET.encode()),
            "legacy service key": _raw(
                header, {"iss": "supabase", "role": "service_role", "exp": now + 600}, SECRET.encode()
            ),
            "role missing": es(role=...),
            "guest": es(is_anonymous=True),
            "body changed": f"{head}.{admin}.{signature}",
            "signature cut off": f"{head}.{body}.",
            "two parts": f"{head}.{body}",
            "five parts": f"{good}.x.y",
            "claims a list": _raw(header, "[1]", SECRET.encode()),
            "claims nested 5,000 deep": _raw(header, "[" * 5000, SECRET.encode()),
            "not base64": "a.b.c",
            "a word": "letmein",
            "not ascii": "é.é.é",
            "larger than 8 KiB": es(padding="x" * 9000),
            "opaque project key": "sb_secret_abcdefghijklmnop",
        }
