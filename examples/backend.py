"""A back end in front of bmn, with FastAPI: it submits, hears webhooks, and hands browsers tokens that only read.

bmn serve                                            # in another terminal
BMN_TOKEN=$(bmn token) python examples/backend.py    # on port 4000
"""

import os
from typing import Any

import httpx
import uvicorn
from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from standardwebhooks import Webhook, WebhookVerificationError

PORT = int(os.environ.get("PORT", "4000"))
PAGES = os.environ.get("PAGES", "http://localhost:5173").split(",")
HOOK = {"webhookUrl": f"http://127.0.0.1:{PORT}/hook"}
bmn = httpx.AsyncClient(
    base_url=os.environ.get("BMN_API_URL", "http://127.0.0.1:3000") + "/api/v1",
    headers={"Authorization": f"Bearer {os.environ['BMN_TOKEN']}"},
    timeout=60,
)
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=PAGES, allow_methods=["*"], allow_headers=["*"])
heard: dict[str, str] = {}  # webhook-id -> what it said; a delivery that comes twice has the same id


async def ask(method: str, path: str, **body: Any) -> Any:
    """bmn's answer. A refusal is passed on: its words are meant for people."""
    answer = await bmn.request(method, path, json=body or None)
    if answer.is_error:
        raise HTTPException(answer.status_code, answer.json()["error"])
    return answer.json()


@app.post("/brands")  # your own sign-in goes before each of these, and says whose brand it is
async def begin(name: str = Body(embed=True)) -> Any:
    brand = (await ask("POST", "/brands", name=name))["id"]
    return {"brandId": brand, "jobId": (await ask("POST", "/generation/logos", brandId=brand, **HOOK))["jobId"]}


@app.post("/brands/{brand}/pick/{asset}")
async def pick(brand: str, asset: str) -> Any:
    logo = await ask("POST", f"/assets/{asset}/select")
    mug = next(each for each in (await ask("GET", "/products"))["products"] if each["slug"] == "mug")
    product = {"productId": mug["id"], "productName": mug["name"], "productCategory": mug["category"]}
    made = await ask("POST", "/generation/mockups", brandId=brand, logoUrl=logo["url"], products=[product], **HOOK)
    return {"jobId": made["jobs"][0]["jobId"]}


@app.post("/jobs/{job}/cancel")
async def cancel(job: str) -> Any:
    return await ask("POST", f"/jobs/{job}/cancel")


@app.post("/jobs/{job}/retry")
async def retry(job: str) -> Any:
    return await ask("POST", f"/jobs/{job}/retry")


@app.post("/brands/{brand}/token")
async def token(brand: str) -> Any:
    return await ask("POST", "/tokens", brandId=brand, expiresIn=int(os.environ.get("TOKEN_SECONDS", "900")))


@app.post("/hook")
async def hook(request: Request) -> None:
    try:
        said = Webhook((await ask("GET", "/webhooks/default/secret"))["key"]).verify(
            await request.body(), dict(request.headers)
        )
    except WebhookVerificationError as error:
        raise HTTPException(401, str(error)) from None
    heard[request.headers["webhook-id"]] = f"{said['type']} {said['data']['jobId']}"


@app.get("/heard")
async def list_heard() -> Any:
    return [*heard.values()]


if __name__ == "__main__":
    uvicorn.run(app, port=PORT, log_level="warning")
