"""`bmn login`: signs in to a server with a key, and remembers both as a profile."""

import getpass
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from bmn.cli.base import examples, run, single
from bmn.cli.lookup.profiles import NONE, Profile, profiles_file, read_profiles, write_profiles
from bmn.cli.terminal.console import console
from bmn.client import Client
from bmn.errors import UsageProblem
from bmn.schemas.documents import Me
from bmn.settings import load_settings
from bmn.settings.types import API_ENDS
from bmn.settings.web import is_loopback, web_address

_MOST = 8192

app = single()


@app.command(
    cls=examples(
        "bmn login https://bmn.example.com",
        "bmn login https://bmn.example.com --profile live < key.txt",
        "bmn login http://127.0.0.1:3000 --no-production",
    )
)
def login(
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS")] = None,
    production: Annotated[
        bool | None,
        typer.Option("--production/--no-production", help="A red line before each act; so unless it is this machine."),
    ] = None,
) -> None:
    """Asks for a server and a key, tries them, and keeps them as a profile (`--profile NAME`, else the server's name)."""
    url = _address(address or _asked("Server: "))
    name = console.profile or urlsplit(url).hostname or "server"
    if name == NONE:
        raise UsageProblem(f"{NONE!r} is not a profile's name.", hint="Choose another name with --profile.")
    key = _checked(_key(url))

    async def who() -> Me:
        settings = load_settings(bmn_api_url=url, bmn_token=key)
        async with Client(settings, api_url=url, on_notice=console.say) as client:
            return await client.me()

    me = run(who())
    local = is_loopback(urlsplit(url).hostname)
    profiles = read_profiles()
    profiles.known[name] = Profile(api_url=url, key=key, production=not local if production is None else production)
    profiles.current = name
    write_profiles(profiles)
    if console.json:
        console.document({"profile": name, "apiUrl": url, "production": profiles.known[name].production, "me": me})
        return
    console.answer(f"✓ {name}: {url}, role {me.role}" + (f", until {me.expires_at}" if me.expires_at else ""))
    console.say(f"Kept in {profiles_file()}, which only you can read.")
    console.next_step(
        "bmn queues" if me.role in ("viewer", "operator", "admin") else "bmn jobs list", "bmn profile list"
    )


def _address(text: str) -> str:
    try:
        return web_address(text.strip(), drop=API_ENDS, bare=True)
    except ValueError as problem:
        raise UsageProblem(f"The address of the server cannot be used: {problem}.") from None


def _asked(prompt: str) -> str:
    """A line that is typed. Raises UsageProblem where nobody can."""
    if not console.interactive:
        raise UsageProblem("Which server?", hint="Name it: bmn login https://bmn.example.com")
    return console.ask(prompt)


def _key(url: str) -> str:
    """Typed without being shown, or read from stdin: never an argument, which every user of the machine can see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(_MOST).strip()
    if not console.interactive:
        raise UsageProblem("Nobody is here to type the key.", hint="Write it to stdin: bmn login ADDRESS < key.txt")
    return getpass.getpass(f"Key for {url}: ").strip()


def _checked(key: str) -> str:
    """Raises UsageProblem for what is no key, or was mistyped, before it goes anywhere."""
    from bmn.identity.key_format import is_key, read_key
    from bmn.identity.refused import KeyRefused

    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise UsageProblem("No key was given.", hint="`bmn keys create` makes one; it begins with bmn_live_.")
    try:
        if is_key(key):
            read_key(key)
    except KeyRefused as refused:
        raise UsageProblem("This key is mistyped or cut.", hint=refused.hint) from None
    return key
