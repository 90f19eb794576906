"""Supabase Auth: the public keys, the signed-in user, and a way to make tokens for tests and demos."""

import hmac
import time
import uuid
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bmn_sandbox.state import Sandbox
from bmn_sandbox.wire import bearer

PROVIDER = "supabase"

_KEY = "auth.key"
_ALGORITHM = "ES256"


def error_body(status: int, code: str | None = None, message: str | None = None) -> dict[str, Any]:
    """The vendor's error body for an HTTP status."""
    usual = {401: "no_authorization", 403: "bad_jwt", 429: "over_request_rate_limit"}.get(status, "unexpected_failure")
    return {"code": status, "error_code": code or usual, "msg": message or f"Error {status}"}


class TokenOrder(BaseModel):
    """What a token should say. role: the application's, in `app_metadata`; claims: laid over all others."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    sub: str = Field(default_factory=lambda: str(uuid.uuid4()))
    email: str = "ana@example.org"
    role: str | None = None
    name: str | None = None
    expires_in: int = Field(3600, description="seconds; negative for one that has expired")
    is_anonymous: bool = False
    claims: dict[str, Any] = {}


class Keys:
    """Signing keys, newest last. The newest signs; all that are kept verify."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._store = sandbox.store
        if not self._store.all(_KEY):
            self.rotate()

    def rotate(self, *, keep: bool = True) -> str:
        """Makes a new key and returns its id. keep: the older ones still verify."""
        if not keep:
            for old in self._store.all(_KEY):
                self._store.delete(_KEY, old["kid"])
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        kid = str(uuid.uuid4())
        self._store.put(_KEY, kid, {"kid": kid, "pem": pem.decode()})
        return kid

    def public(self) -> list[dict[str, Any]]:
        """The public halves as JSON Web Keys."""
        found = []
        for kept in self._store.all(_KEY):
            half = jwt.algorithms.ECAlgorithm.to_jwk(_private(kept).public_key(), as_dict=True)
            found.append({**half, "alg": _ALGORITHM, "kid": kept["kid"], "use": "sig", "key_ops": ["verify"]})
        return found

    def sign(self, claims: Mapping[str, Any]) -> str:
        newest = self._store.all(_KEY)[-1]
        return jwt.encode(dict(claims), newest["pem"], algorithm=_ALGORITHM, headers={"kid": newest["kid"]})

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of one of our tokens. Raises jwt.InvalidTokenError."""
        kid = jwt.get_unverified_header(token).get("kid")
        kept = self._store.get(_KEY, str(kid))
        if kept is None:
            raise jwt.InvalidTokenError("unrecognized JWT kid")
        key = _private(kept).public_key()
        return jwt.decode(token, key, algorithms=[_ALGORITHM], audience="authenticated")


def _private(kept: dict[str, Any]) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(kept["pem"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def routes(sandbox: Sandbox) -> list[Route]:
    keys = Keys(sandbox)

    async def jwks(_request: Request) -> Response:
        return JSONResponse({"keys": keys.public()}, headers={"cache-control": "public, max-age=600"})

    async def user(request: Request) -> Response:
        if not (request.headers.get("apikey") or request.query_params.get("apikey")):
            hint = "No `apikey` request header or url param was found."
            return JSONResponse({"message": "No API key found in request", "hint": hint}, 401)
        token = bearer(request)
        if not token or hmac.compare_digest(token.encode(), request.headers.get("apikey", "").encode()):
            return _refusal(request, 401, "no_authorization", "This endpoint requires a valid Bearer token")
        try:
            claims = keys.verified(token)
        except jwt.InvalidTokenError as problem:
            words = f"invalid JWT: unable to parse or verify signature, {problem}"
            return _refusal(request, 403, "bad_jwt", words)
        return JSONResponse(_user(claims))

    return [
        Route("/auth/v1/.well-known/jwks.json", jwks, name="jwks"),
        Route("/auth/v1/user", user, name="user"),
    ]


def control_routes(sandbox: Sandbox) -> list[Route]:
    """`POST /_sandbox/tokens` makes an access token; `POST /_sandbox/keys/rotate?keep=false` changes the signing key."""
    keys = Keys(sandbox)

    async def make(request: Request) -> Response:
        try:
            order = TokenOrder.model_validate_json(await request.body() or b"{}")
        except ValidationError as problem:
            return JSONResponse({"error": str(problem)}, 400)
        claims = _claims(order, f"{sandbox.base_url(request)}/auth/v1")
        token = keys.sign(claims)
        return JSONResponse(
            {"accessToken": token, "tokenType": "bearer", "expiresIn": order.expires_in, "claims": claims}, 201
        )

    async def rotate(request: Request) -> Response:
        kid = keys.rotate(keep=request.query_params.get("keep") != "false")
        return JSONResponse({"kid": kid}, 201)

    return [
        Route("/_sandbox/tokens", make, methods=["POST"]),
        Route("/_sandbox/keys/rotate", rotate, methods=["POST"]),
    ]


def _claims(order: TokenOrder, issuer: str) -> dict[str, Any]:
    now = int(time.time())
    app: dict[str, Any] = {"provider": "email", "providers": ["email"]}
    if order.role:
        app["role"] = order.role
    return {
        "iss": issuer,
        "sub": order.sub,
        "aud": "authenticated",
        "exp": now + order.expires_in,
        "iat": now,
        "email": order.email,
        "phone": "",
        "role": "authenticated",
        "aal": "aal1",
        "session_id": str(uuid.uuid4()),
        "is_anonymous": order.is_anonymous,
        "app_metadata": app,
        "user_metadata": {"name": order.name} if order.name else {},
        "amr": [{"method": "password", "timestamp": now}],
        **order.claims,
    }


def _user(claims: dict[str, Any]) -> dict[str, Any]:
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claims.get("iat", 0)))
    return {
        "id": claims["sub"],
        "aud": claims["aud"],
        "role": claims.get("role", "authenticated"),
        "email": claims.get("email", ""),
        "phone": claims.get("phone", ""),
        "email_confirmed_at": made,
        "last_sign_in_at": made,
        "app_metadata": claims.get("app_metadata", {}),
        "user_metadata": claims.get("user_metadata", {}),
        "identities": [],
        "created_at": made,
        "updated_at": made,
        "is_anonymous": claims.get("is_anonymous", False),
    }


def _refusal(request: Request, status: int, code: str, message: str) -> Response:
    """Clients of the newer API version get the newer form."""
    if request.headers.get("x-supabase-api-version", "") >= "2024-01-01":
        return JSONResponse({"code": code, "message": message}, status)
    return JSONResponse(error_body(status, code, message), status)
