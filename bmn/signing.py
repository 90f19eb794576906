"""Links that work without a token: to a file, and to a shared job. Signed, and good for a limited time. What is kept where
others may write, such as a browser's session in Redis, is sealed with the same secret.

Records and events hold durable addresses; whatever leaves towards a client goes through `Signer.signed`.
"""

import base64
import hashlib
import hmac
import sys
import time
from copy import copy
from typing import Any
from urllib.parse import quote
from uuid import UUID

from bmn.errors import NotFound
from bmn.identity.browser import BrowserTokens
from bmn.identity.home_secrets import LINKS, home_secret
from bmn.numbers import is_whole
from bmn.schemas.webhook_payloads import as_secret
from bmn.settings import Settings
from bmn.storage import Storage, brand_of

_FILE_SECONDS = 3600
_LASTING_SECONDS = 10 * 366 * 86_400
_SHARE, _CHOSEN, _KEPT, _MAILS = "share", "chosen-", "share-", "mails"
_NO_LINK = "This link has ended, or never was."
_ADDRESSES = frozenset({"url", "thumbnail_url", "thumbnailUrl", "preview"})


def shared_secret(settings: Settings) -> str:
    """What links are signed with on every host alike; empty where nothing of the kind is set."""
    return (
        settings.bmn_signing_secret.get_secret_value()
        or settings.supabase_jwt_secret.get_secret_value()
        or settings.supabase_secret_key.get_secret_value()
    )


def signing_secret(settings: Settings) -> str:
    """One for all processes: the setting, else Supabase's, else one kept in BMN_HOME.

    Raises Misconfigured where that cannot be read or made.
    """
    return shared_secret(settings) or home_secret(settings, LINKS)


class Signer:
    """storage: says which addresses are ours. Another secret withdraws every link that was handed out."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self._key = hmac.digest(signing_secret(settings).encode(), b"bmn links 1", "sha256")
        self._storage = storage
        self._public = bool(settings.public_base_url)  # such a bucket is read without us
        self._address = settings.public_address
        self._latest = sys.maxsize

    def webhook_secret(self, user_id: str) -> str:
        """What a user's webhooks are signed with that name no endpoint of their account."""
        return as_secret(hmac.digest(self._key, f"bmn webhooks 1 {user_id}".encode(), "sha256")[:24])

    def browser_tokens(self) -> BrowserTokens:
        """What makes and reads the tokens that back ends hand to browsers."""
        return BrowserTokens(hmac.digest(self._key, b"bmn browser tokens 1", "sha256"))

    def mails_token(self, user_id: str) -> str:
        """What lets whoever reads a user's mails say that they want no more of them."""
        return f"{user_id}.{self._sign(_MAILS, user_id, 0)}"

    def user_of_mails(self, token: str) -> str:
        """The user whose token it is. Raises NotFound."""
        user_id, _, signature = token.partition(".")
        if not hmac.compare_digest(self._sign(_MAILS, user_id, 0).encode(), _bytes(signature)):
            raise NotFound(_NO_LINK)
        return user_id

    def signed(self, url: str) -> str:
        """The address with a signature, if it is one of our files; any other address as it is.

        Its end is rounded to the hour, so that a picture keeps one address, and a browser its copy, for that long.
        """
        if self._public or (key := self._storage.key_of(url)) is None:
            return url
        return self._with_signature(key, self._until())

    def lasting(self, url: str) -> str:
        """As `signed`, for a system of ours that keeps the address and has no token: good for ten years."""
        if self._public or (key := self._storage.key_of(url)) is None:
            return url
        return self._with_signature(key, int(time.time()) + _LASTING_SECONDS)

    def download(self, url: str, file: str) -> str:
        """A path of ours that saves the file under this name, wherever the picture itself is read from.

        A browser heeds a link's `download` only within one origin; this is in the page's own, and says it in a header too.
        """
        if (key := self._storage.key_of(url)) is None:
            return url
        return f"/files/{quote(key)}?{self._query(key, self._until())}&download={quote(file, safe='')}"

    def ending(self, until: float) -> "Signer":
        """One whose links end then at the latest: what a link shows does not outlive it."""
        found = copy(self)
        found._latest = int(until)
        return found

    def _until(self) -> int:
        return min((int(time.time()) // _FILE_SECONDS + 2) * _FILE_SECONDS, self._latest)

    def _query(self, key: str, until: int) -> str:
        return f"until={until}&signature={self._sign('file', key, until)}"

    def _with_signature(self, key: str, until: int) -> str:
        return f"{self._storage.url_for(key)}?{self._query(key, until)}"

    def sign_all(self, value: Any) -> Any:
        """A copy of JSON data with its assets' addresses signed: a result, or an event on its way out.

        Only where we write addresses ourselves: words of a user may be the address of somebody else's picture.
        """
        if isinstance(value, dict):
            return {
                key: self.signed(item) if key in _ADDRESSES and isinstance(item, str) else self.sign_all(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.sign_all(item) for item in value]
        return value

    def brands_in(self, value: Any) -> set[str]:
        """The brands whose files `sign_all` would sign in JSON data."""
        if isinstance(value, list):
            return set().union(*map(self.brands_in, value))
        if not isinstance(value, dict):
            return set()
        found: set[str] = set()
        for name, item in value.items():
            if name in _ADDRESSES and isinstance(item, str):
                if not self._public and (key := self._storage.key_of(item)) is not None:
                    found.add(brand_of(key))
            else:
                found |= self.brands_in(item)
        return found

    def allows(self, key: str, until: str | None, signature: str | None) -> bool:
        """Whether a file's link was made here and has not ended."""
        return self._holds("file", key, until, signature)

    def share(self, share_id: str, until: float) -> str:
        """The token of a share, for whoever is to see what it shows. until: seconds since 1970."""
        return f"{_KEPT}{share_id}.{int(until)}.{self._sign(_KEPT, share_id, int(until))}"

    def share_id(self, token: str) -> str | None:
        """The share that a token opens; None for one of a release that kept no shares. Raises NotFound."""
        if not token.startswith(_KEPT):
            return None
        share_id, _, rest = token.removeprefix(_KEPT).partition(".")
        until, _, signature = rest.partition(".")
        if not self._holds(_KEPT, share_id, until, signature):
            raise NotFound(_NO_LINK)
        return share_id

    def shared_assets(self, token: str) -> tuple[list[str], float] | None:
        """The pictures that a token of an earlier release shows; None for one that shows a job. Raises NotFound."""
        if not token.startswith(_CHOSEN):
            return None
        packed, _, rest = token.removeprefix(_CHOSEN).partition(".")
        until, _, signature = rest.partition(".")
        if not self._holds(_CHOSEN, packed, until, signature):
            raise NotFound(_NO_LINK)
        ids = base64.urlsafe_b64decode(packed)
        return [str(UUID(bytes=ids[at : at + 16])) for at in range(0, len(ids), 16)], float(until)

    def shared_job(self, token: str) -> tuple[str, float]:
        """The job that a token of an earlier release shows, and when it ends. Raises NotFound for a forged or ended one."""
        job_id, _, rest = token.partition(".")
        until, _, signature = rest.partition(".")
        if not self._holds(_SHARE, job_id, until, signature):
            raise NotFound(_NO_LINK)
        return job_id, float(until)

    def sealed(self, name: str, text: str) -> str:
        """A text to be kept under this name where others may write."""
        return f"{self._seal(name, text)}.{text}"

    def opened(self, name: str, kept: str) -> str | None:
        """The text that was sealed under this name; None for anything else."""
        seal, _, text = kept.partition(".")
        return text if hmac.compare_digest(_bytes(seal), self._seal(name, text).encode()) else None

    def _seal(self, name: str, text: str) -> str:
        digest = hmac.digest(self._key, _bytes(f"seal\n{name}\n{text}"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode()

    def _holds(self, kind: str, name: str, until: str | None, signature: str | None) -> bool:
        if not until or not signature or not is_whole(until) or len(until) > 12:
            return False
        expected = self._sign(kind, name, int(until))
        return hmac.compare_digest(expected.encode(), signature.encode()) and int(until) > time.time()

    def _sign(self, kind: str, name: str, until: int) -> str:
        digest = hmac.digest(self._key, f"{kind}\n{name}\n{until}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:18]).decode()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")  # Redis gives bytes that are no text like this
