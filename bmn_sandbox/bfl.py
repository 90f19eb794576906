"""Black Forest Labs: submit a picture, poll its task, fetch it from a signed address that expires."""

import asyncio
import base64
import hashlib
import hmac
import math
import secrets
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bmn_sandbox.bfl_input import MODELS, BadInput, Submission, read_submission
from bmn_sandbox.media.broken import broken_image
from bmn_sandbox.media.logo.logos import render_logo
from bmn_sandbox.media.logo.revision import most_alike, thumbnail
from bmn_sandbox.state import Sandbox

PROVIDER = "bfl"
_TASK = "bfl.task"
_PICTURE = "bfl.picture"
_TYPES = {"png": "image/png", "jpeg": "image/jpeg"}
_ERRORS: dict[int, dict[str, Any]] = {
    400: {"error": "validation_error", "message": "Invalid request", "details": {}},
    401: {"detail": "Not authenticated"},
    402: {"error": "insufficient_credits", "message": "Insufficient credits. Please add credits to your account."},
    403: {"detail": "Not authenticated - Invalid Authentication"},
    404: {"detail": "Not Found"},
    422: {"detail": [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}]},
    429: {"error": "rate_limit_exceeded", "message": "Too many concurrent requests", "retry_after": 5},
    500: {"detail": "Internal Server Error"},
    503: {"detail": "Service temporarily unavailable"},
}
log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


def error_body(status: int) -> dict[str, Any]:
    """The vendor's error body for an HTTP status."""
    return _ERRORS.get(status, {"detail": f"Error {status}"})


@dataclass(slots=True)
class Task:
    """One order for a picture. ends: the unix time at which the vendor's work is over. verdict: its final status."""

    id: str
    model: str
    prompt: str
    seed: int
    width: int
    height: int
    output_format: str
    has_reference: bool
    created: float
    ends: float
    verdict: str


def routes(sandbox: Sandbox) -> list[Route]:
    studio = Studio(sandbox)
    submits = [Route(f"/v1/{model}", studio.submit, methods=["POST"], name="submit") for model in sorted(MODELS)]
    return [
        *submits,
        Route("/v1/flux-{model}", studio.unknown_model, methods=["POST"], name="submit"),
        Route("/v1/get_result", studio.poll, name="poll"),
        Route("/v1/results/{task_id}/{name}", studio.download, name="download"),
        Route("/v1/credits", studio.credits, name="credits"),
    ]


class Studio:
    """The vendor's side of the counter: takes orders, draws them in threads, hands them out."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.results = sandbox.state_dir / "results"
        self.results.mkdir(parents=True, exist_ok=True)
        self._drawing: dict[str, asyncio.Task[None]] = {}
        self._secret = self._signing_secret()
        now = time.time()
        unfinished = (Task(**found) for found in sandbox.store.all(_TASK))
        self._in_flight = {task.id: (task.model, task.ends) for task in unfinished if task.ends > now}
        for path in self.results.iterdir():
            if path.stat().st_mtime < now - 10 * sandbox.result_ttl:
                path.unlink(missing_ok=True)

    async def submit(self, request: Request) -> Response:
        if not request.headers.get("x-key"):
            return JSONResponse(error_body(401), 401)
        model = request.url.path.rsplit("/", 1)[-1]
        raw = await request.body()
        try:
            order = await read_submission(model, raw)
        except BadInput as problem:
            return JSONResponse(problem.body(), 422)
        if self._busy(model):
            return JSONResponse(error_body(429), 429, headers={"retry-after": "5"})
        task = self._accept(request, model, order)
        cost = order.cost(model)
        if task.verdict != "Request Moderated":
            self.sandbox.ledger.bill(
                PROVIDER,
                model,
                unit="image",
                units=1,
                usd=round(cost / 100, 6),
                request_body=raw,
                prompt=order.prompt,
                task_id=task.id,
            )
        return JSONResponse(
            {
                "id": task.id,
                "polling_url": f"{self.sandbox.base_url(request)}/v1/get_result?id={task.id}",
                "cost": cost,
                "input_mp": order.input_mp,
                "output_mp": round(order.width * order.height / 1e6, 2),
            }
        )

    async def unknown_model(self, _request: Request) -> Response:
        return JSONResponse(error_body(404), 404)

    async def credits(self, request: Request) -> Response:
        if not request.headers.get("x-key"):
            return JSONResponse(error_body(401), 401)
        spent = self.sandbox.ledger.totals().get(PROVIDER, {}).get("usd", 0.0)
        return JSONResponse({"credits": round(10_000 - spent * 100, 2)})

    async def poll(self, request: Request) -> Response:
        task_id = request.query_params.get("id", "")
        found = self.sandbox.store.get(_TASK, task_id)
        if found is None:
            return JSONResponse(_status(task_id, "Task not found"))
        task = Task(**found)
        if rule := self.sandbox.take(request, "unknown_status", text=task.prompt):
            return JSONResponse(_status(task.id, rule.unknown_status or ""))
        stuck = self.sandbox.take(request, "pending", text=task.prompt) is not None
        if stuck or time.time() < task.ends:
            return JSONResponse(_status(task.id, "Pending", progress=_progress(task)))
        if task.verdict != "Ready":
            return JSONResponse(_status(task.id, task.verdict, details={"Moderation Reasons": ["Safety Filter"]}))
        try:
            await self._drawn(task)
        except (OSError, ValueError) as problem:
            log.warning("sandbox could not draw", task=task.id, problem=str(problem))
            return JSONResponse(_status(task.id, "Error"))
        return JSONResponse(_status(task.id, "Ready", result=self._result(request, task)))

    async def download(self, request: Request) -> Response:
        """No key: the signature is the permission, as at the vendor's delivery hosts."""
        task_id, expires = request.path_params["task_id"], request.query_params.get("se", "")
        found = self.sandbox.store.get(_TASK, task_id)
        good = hmac.compare_digest(self._signature(task_id, expires), request.query_params.get("sig", ""))
        if found is None or not good:
            return _storage_refusal("AuthenticationFailed", "Signature did not match.")
        task = Task(**found)
        gone = self.sandbox.take(request, "expire", text=task.prompt) is not None
        if gone or datetime.fromisoformat(expires).timestamp() < time.time():
            return _storage_refusal("AuthenticationFailed", "Signed expiry time has passed.")
        path = await self._drawn(task)
        content = await asyncio.to_thread(path.read_bytes)
        media_type = _TYPES[task.output_format]
        if (rule := self.sandbox.take(request, "image", text=task.prompt)) and rule.image:
            content = await asyncio.to_thread(broken_image, rule.image, content)
        return Response(content, media_type=media_type)

    def _accept(self, request: Request, model: str, order: Submission) -> Task:
        rule = self.sandbox.take(request, "moderate")
        verdict = "Ready"
        if rule or "[[moderate]]" in order.prompt:
            verdict = "Content Moderated" if rule and rule.stage == "content" else "Request Moderated"
        now = time.time()
        task_id = str(uuid.uuid4())
        task = Task(
            id=task_id,
            model=model,
            prompt=order.prompt,
            seed=order.seed if order.seed is not None else secrets.randbelow(2**31),
            width=order.width,
            height=order.height,
            output_format=order.output_format,
            has_reference=bool(order.references),
            created=now,
            ends=now + _seconds(order) * self.sandbox.speed,
            verdict=verdict,
        )
        if order.references:
            self._reference(task_id).write_bytes(order.references[0])
        self.sandbox.store.put(_TASK, task_id, asdict(task))
        self._in_flight[task_id] = (model, task.ends)
        if verdict == "Ready":
            self._start(task)
        return task

    def _busy(self, model: str) -> bool:
        now = time.time()
        self._in_flight = {key: entry for key, entry in self._in_flight.items() if entry[1] > now}
        same = sum(1 for name, _ends in self._in_flight.values() if name == model)
        return len(self._in_flight) >= 24 or same >= MODELS[model].in_flight

    def _start(self, task: Task) -> asyncio.Task[None]:
        running = asyncio.create_task(self._make(task))
        self._drawing[task.id] = running
        running.add_done_callback(lambda _done: self._drawing.pop(task.id, None))
        return running

    def _draw(self, task: Task, known: list[dict[str, Any]]) -> dict[str, Any]:
        """Runs in a thread; returns what is needed to know the picture again and to refine it.

        known: the same of earlier pictures, to recognise a reference.
        """
        reference, origin = None, None
        if task.has_reference:
            reference = self._reference(task.id).read_bytes()
            found = most_alike(reference, [base64.b64decode(entry["thumbnail"]) for entry in known])
            if found is not None:
                origin = (known[found]["prompts"], known[found]["seed"])
        picture = render_logo(task.prompt, task.seed, (task.width, task.height), reference, origin)
        path = self._picture(task)
        unfinished = path.with_suffix(".part")
        picture.save(unfinished, "PNG" if task.output_format == "png" else "JPEG", quality=92, compress_level=4)
        unfinished.replace(path)
        prompts, seed = origin or ([], task.seed)
        small = base64.b64encode(thumbnail(path.read_bytes())).decode()
        return {"prompts": [*prompts, task.prompt], "seed": seed, "thumbnail": small}

    async def _make(self, task: Task) -> None:
        known = self.sandbox.store.all(_PICTURE, limit=500) if task.has_reference else []
        self.sandbox.store.put(_PICTURE, task.id, await asyncio.to_thread(self._draw, task, known))

    async def _drawn(self, task: Task) -> Path:
        """Where the picture is; drawn again where a restart has lost it."""
        path = self._picture(task)
        running = self._drawing.get(task.id)
        if running is None and not path.exists():
            running = self._start(task)
        if running is not None:
            await asyncio.shield(running)
        return path

    def _result(self, request: Request, task: Task) -> dict[str, Any]:
        expires = datetime.fromtimestamp(time.time() + self.sandbox.result_ttl, UTC)
        se = expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        base = f"{self.sandbox.base_url(request)}/v1/results/{task.id}/sample.{task.output_format}"
        return {
            "sample": f"{base}?se={se}&sig={self._signature(task.id, se)}",
            "prompt": task.prompt,
            "seed": task.seed,
            "start_time": task.created,
            "end_time": task.ends,
            "duration": round(task.ends - task.created, 2),
        }

    def _signing_secret(self) -> bytes:
        """The same after a restart, so that addresses given out before it still open."""
        kept = self.sandbox.store.get("bfl.secret", "results")
        if kept is None:
            kept = {"secret": secrets.token_hex(32)}
            self.sandbox.store.put("bfl.secret", "results", kept)
        return bytes.fromhex(kept["secret"])

    def _signature(self, task_id: str, expires: str) -> str:
        return hmac.new(self._secret, f"{task_id} {expires}".encode(), hashlib.sha256).hexdigest()

    def _picture(self, task: Task) -> Path:
        return self.results / f"{task.id}.{task.output_format}"

    def _reference(self, task_id: str) -> Path:
        return self.results / f"{task_id}.reference"


def _seconds(order: Submission) -> float:
    """2.5 to 4 seconds, always the same for the same order."""
    digest = hashlib.sha256(f"{order.prompt}{order.seed}".encode()).digest()
    return 2.5 + 1.5 * digest[0] / 255


def _progress(task: Task) -> float:
    share = (time.time() - task.created) / max(task.ends - task.created, 1e-6)
    return round(min(0.99, max(0.0, 1 - math.exp(-2.5 * share))), 2)


def _status(task_id: str, status: str, **fields: Any) -> dict[str, Any]:
    empty = {"result": None, "progress": None, "details": None, "preview": None}
    return {"id": task_id, "status": status, **empty, **fields}


def _storage_refusal(code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, 403, media_type="application/xml")
