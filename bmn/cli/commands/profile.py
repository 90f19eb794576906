"""`bmn profile`: which of the servers that you have signed in to is meant."""

from typing import Annotated

import typer

from bmn.cli.base import examples, group
from bmn.cli.lookup.profiles import NONE, profiles_file, read_profiles, write_profiles
from bmn.cli.terminal.cells import Cell, Column
from bmn.cli.terminal.console import console

Name = Annotated[str, typer.Argument(metavar="PROFILE")]

_COLUMNS = (Column(""), Column("PROFILE"), Column("SERVER", flexible=True), Column("KEY"), Column("NOTE"))

app = group(
    "The servers that you have signed in to.", "bmn profile list", "bmn profile use live", "bmn --profile live queues"
)


@app.command("list", cls=examples("bmn profile list"))
def list_profiles() -> None:
    """Every profile, and which one is used."""
    profiles = read_profiles()
    if console.json:
        shown = [
            {
                "name": name,
                "apiUrl": profile.api_url,
                "production": profile.production,
                "current": name == profiles.current,
            }
            for name, profile in sorted(profiles.known.items())
        ]
        console.document({"profiles": shown, "file": str(profiles_file())})
        return
    if not profiles.known:
        console.say("No profiles.")
        console.next_step("bmn login")
        return
    rows: list[tuple[Cell, ...]] = [
        (
            "*" if name == profiles.current else "",
            name,
            profile.api_url,
            f"{profile.key[:21]}…" if profile.key.startswith("bmn_live_") else "a token",
            ("production", "red") if profile.production else "",
        )
        for name, profile in sorted(profiles.known.items())
    ]
    console.table(_COLUMNS, rows)
    other = next((name for name in sorted(profiles.known) if name != profiles.current), NONE)
    console.next_step(f"bmn profile use {other}")


@app.command(cls=examples("bmn profile use live", f"bmn profile use {NONE}"))
def use(name: Name) -> None:
    """Makes a profile the one that commands use; `none` leaves it to the settings."""
    profiles = read_profiles()
    profiles.current = None if name == NONE else name
    address = profiles.get(name).api_url if name != NONE else None
    write_profiles(profiles)
    if console.json:
        console.document({"current": profiles.current})
        return
    console.answer(f"{name}  {address}" if address else "No profile: the settings say which server.")
    console.next_step("bmn queues")


@app.command(cls=examples("bmn profile remove live"))
def remove(name: Name) -> None:
    """Forgets a server and its key; the key itself goes on until `bmn keys revoke`."""
    profiles = read_profiles()
    profiles.get(name)
    del profiles.known[name]
    if profiles.current == name:
        profiles.current = None
    write_profiles(profiles)
    if console.json:
        console.document({"removed": name})
        return
    console.answer(f"{name}  removed")
    console.next_step("bmn profile list")
