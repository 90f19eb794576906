"""What a Redis says of itself: the few fields of INFO that we read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Info:
    """version: empty where it says none. used, limit: bytes of memory; 0 is no limit. policy: of a full one."""

    version: str = ""
    is_valkey: bool = False
    used: int = 0
    limit: int = 0
    policy: str = "noeviction"
    has_log: bool = False

    @classmethod
    def of(cls, answer: object) -> "Info":
        """As far as the answer to INFO says it."""
        fields = answer if isinstance(answer, dict) else {}
        return cls(
            version=str(fields.get("valkey_version") or fields.get("redis_version") or ""),
            is_valkey="valkey_version" in fields,
            used=int(fields.get("used_memory", 0)),
            limit=int(fields.get("maxmemory", 0)),
            policy=str(fields.get("maxmemory_policy", "noeviction")),
            has_log=bool(fields.get("aof_enabled")),
        )
