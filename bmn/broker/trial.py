"""Trying everything that we ask of a Redis, harmlessly: what our user may not do, and what the server does not know."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import redis
import redis.asyncio
from redis import exceptions

from bmn.broker import redis_keys
from bmn.broker.info import Info
from bmn.broker.redis_refusals import RedisRefusal, refusal_of
from bmn.numbers import is_whole

LEAST = (6, 2)  # BLMOVE, which the line of jobs needs

_PLACES = ("rq:", "bmn:", "cache:", "rate:", "session:", "socket:")
_Words = tuple[str | int | float, ...]
# Sorts of commands, one key each that ends by itself; {} stands for the key.
_COMMANDS: tuple[_Words, ...] = (
    ("PING",),
    ("SET", "{}:text", "1", "EX", 5),
    ("GET", "{}:text"),
    ("GETDEL", "{}:none"),
    ("MGET", "{}:text", "{}:none"),
    ("INCRBY", "{}:number", 1),
    ("EXISTS", "{}:text"),
    ("EXPIRE", "{}:number", 5),
    ("PEXPIRE", "{}:number", 5000),
    ("TTL", "{}:text"),
    ("PTTL", "{}:text"),
    ("DEL", "{}:none"),
    ("HSET", "{}:hash", "a", "1"),
    ("EXPIRE", "{}:hash", 5),
    ("HGET", "{}:hash", "a"),
    ("HMGET", "{}:hash", "a"),
    ("HGETALL", "{}:hash"),
    ("HDEL", "{}:hash", "b"),
    ("SADD", "{}:set", "a"),
    ("EXPIRE", "{}:set", 5),
    ("SREM", "{}:set", "b"),
    ("SMEMBERS", "{}:set"),
    ("RPUSH", "{}:list", "a"),
    ("EXPIRE", "{}:list", 5),
    ("LLEN", "{}:list"),
    ("LPOS", "{}:list", "a"),
    ("LRANGE", "{}:list", 0, -1),
    ("LREM", "{}:list", 0, "b"),
    ("BLMOVE", "{}:list", "{}:list", "LEFT", "LEFT", 0.01),
    ("ZADD", "{}:sorted", 1, "a"),
    ("EXPIRE", "{}:sorted", 5),
    ("ZCARD", "{}:sorted"),
    ("ZRANGE", "{}:sorted", 0, -1),
    ("ZREM", "{}:sorted", "b"),
    ("ZREMRANGEBYSCORE", "{}:sorted", "-inf", 0),
    ("ZREMRANGEBYRANK", "{}:sorted", 5, 6),
    ("XADD", "{}:stream", "MAXLEN", "~", 10, "*", "a", "1"),
    ("EXPIRE", "{}:stream", 5),
    ("XRANGE", "{}:stream", "-", "+", "COUNT", 1),
    ("XREVRANGE", "{}:stream", "+", "-", "COUNT", 1),
    ("XREAD", "COUNT", 1, "STREAMS", "{}:stream", "0-0"),
    ("SCAN", 0, "COUNT", 1),
    ("TIME",),
    ("PUBLISH", redis_keys.CONTROL, "{}"),
    ("EVAL", "return redis.call('EXISTS', KEYS[1], KEYS[2])", 2, "{}:text", "{}:none"),
    ("SCRIPT LOAD", "return 1"),
    ("EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", 0),  # of that script
    ("SUBSCRIBE",),  # tried apart, since a connection that listens is good for nothing else
    ("INFO", "server"),
)


def _of(words: _Words, key: str) -> list[Any]:
    return [word.replace("{}", key) if isinstance(word, str) and word != "{}" else word for word in words]


def trials() -> list[list[Any]]:
    """The commands to send down one connection, in their order."""
    key = f"bmn:trial:{secrets.token_hex(8)}"
    commands = [_of(words, key) for words in _COMMANDS if words[0] != "SUBSCRIBE"]
    return [*commands, *(["EXISTS", f"{place}none"] for place in _PLACES)]


def findings(user: str, sent: Sequence[Sequence[Any]], answers: Iterable[object]) -> list[RedisRefusal]:
    """What is wrong, out of the answers: what everything has in common, or what is denied and missing."""
    denied: dict[str, None] = {}
    missing: dict[str, None] = {}
    places: dict[str, None] = {}
    channels = False
    others: dict[str, RedisRefusal] = {}
    for command, answer in zip(sent, answers, strict=True):
        if isinstance(answer, bytes | str | dict) and command[0] == "INFO":
            others |= _old(answer)
        if not isinstance(answer, Exception):
            continue
        text, name = str(answer).lower(), str(command[0])
        if isinstance(answer, exceptions.NoScriptError):
            continue  # SCRIPT LOAD was refused, which is said there
        if "unknown command" in text or "unknown subcommand" in text:
            missing[name] = None
        elif isinstance(answer, exceptions.NoPermissionError) or "noperm" in text:
            if "key" in text.replace("keyspace", "") and "access" in text and "command" not in text.partition("key")[0]:
                places[_place(command)] = None
            elif "channel" in text and "access" in text:
                channels = True
            else:
                denied[name] = None
        elif (refusal := refusal_of(answer)) is not None:
            others.setdefault(refusal.kind, refusal)
    found = list(others.values())
    if any(refusal.is_fatal for refusal in found):
        return [refusal for refusal in found if refusal.is_fatal]
    if missing:
        found.append(_missing(list(missing)))
    if denied or places or channels:
        found.append(_denied(user, list(denied), [place for place in places if place], channels))
    return found


def _place(command: Sequence[Any]) -> str:
    names = [str(word) for word in command[1:]]
    return next((place for word in names for place in _PLACES if word.startswith(place)), "")


def _missing(names: list[str]) -> RedisRefusal:
    return RedisRefusal(
        "denied",
        f"This Redis does not know {', '.join(names)}.",
        f"Use Redis {LEAST[0]}.{LEAST[1]} or newer, or Valkey, in which they are not renamed.",
    )


def _denied(user: str, names: list[str], places: list[str], channels: bool) -> RedisRefusal:
    rules = [f"+{name.lower().replace(' ', '|')}" for name in names]
    rules += [f"~{place}*" for place in places]
    rules += ["&bmn:*", "&rq:*"] if channels else []
    what = [*names, *(f"keys that begin with {place}" for place in places), *(["our channels"] if channels else [])]
    return RedisRefusal("denied", f"Redis denies our user {', '.join(what)}.", f"ACL SETUSER {user} {' '.join(rules)}")


def _old(answer: object) -> dict[str, RedisRefusal]:
    version = Info.of(answer).version
    parts = version.split(".")[:2]
    if not all(is_whole(part) for part in parts) or tuple(map(int, parts)) >= LEAST:
        return {}
    message = f"This Redis is too old: {version}."
    return {"old": RedisRefusal("old", message, f"Use Redis {LEAST[0]}.{LEAST[1]} or newer, or Valkey.")}


def user_of(client: "redis.Redis | redis.asyncio.Redis") -> str:
    return str(client.connection_pool.connection_kwargs.get("username") or "default")


def try_all(client: "redis.Redis") -> list[RedisRefusal]:
    """What this Redis will not do for us. Raises redis.RedisError or OSError where it is away."""
    sent = trials()
    try:
        with client.pipeline(transaction=False) as pipe:
            for command in sent:
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]
            answers: list[object] = pipe.execute(raise_on_error=False)
        answers.append(_subscribe(client))
    except (redis.RedisError, OSError) as error:
        if (refusal := refusal_of(error)) is None:
            raise
        return [refusal]
    return findings(user_of(client), [*sent, ["SUBSCRIBE"]], answers)


def _subscribe(client: "redis.Redis") -> object:
    with client.pubsub() as channel:  # type: ignore[no-untyped-call]
        try:
            channel.subscribe(redis_keys.CONTROL)
            return channel.get_message(timeout=1)
        except redis.ResponseError as error:
            return error


async def try_all_here(client: "redis.asyncio.Redis") -> list[RedisRefusal]:
    """The same from an event loop."""
    sent = trials()
    try:
        async with client.pipeline(transaction=False) as pipe:
            for command in sent:
                pipe.execute_command(*command)
            answers: list[object] = await pipe.execute(raise_on_error=False)
        async with client.pubsub() as channel:
            try:
                await channel.subscribe(redis_keys.CONTROL)
                answers.append(await channel.get_message(timeout=1))
            except redis.ResponseError as error:
                answers.append(error)
    except (redis.RedisError, OSError) as error:
        if (refusal := refusal_of(error)) is None:
            raise
        return [refusal]
    return findings(user_of(client), [*sent, ["SUBSCRIBE"]], answers)
