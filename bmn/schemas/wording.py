"""What is wrong with a value, in words for whoever sent it: pydantic's own speak of Python."""

from collections.abc import Mapping
from dataclasses import dataclass

from bmn.issues import Refused, issues

_LONGEST = 300

# By pydantic's type of the error; in braces, what its context has.
_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "json_invalid": "is not valid JSON",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "is not of the required form",
    "string_unicode": "is not valid Unicode",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dataclass_type": "must be an object",
    "none_required": "must be null",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "union_tag_not_found": "must say its {discriminator}",
    "union_tag_invalid": "must have as its {discriminator} one of {expected_tags}",
    "value_error": "{error}",
}
_SIZES = {"too_short": "must have at least {min_length} {kind}", "too_long": "must have at most {max_length} {kind}"}
_QUOTED = ("expected", "discriminator", "expected_tags")
_KINDS = {"List": "entries", "Dictionary": "members", "Set": "entries", "Tuple": "entries"}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a value. place: the way to it. kind: pydantic's word. value: what was given.

    words: a phrase that follows the name of its field: `count` `must be at most 8`.
    """

    place: tuple[int | str, ...]
    kind: str
    words: str
    value: object

    @property
    def where(self) -> str:
        """Its place as people write it: `products.0.productId`; empty for the whole."""
        return ".".join(str(part)[:100] for part in self.place)

    @property
    def field(self) -> str:
        """The outermost field; empty for the whole."""
        return str(self.place[0]) if self.place else ""

    def __str__(self) -> str:
        return f"{self.where} {self.words}"


def flaws(error: Refused) -> list[Flaw]:
    """All that is wrong, in the order of the fields."""
    return [Flaw(each.place, each.kind, _in_words(each.kind, each.context), each.value) for each in issues(error)]


def _in_words(kind: str, context: Mapping[str, object]) -> str:
    if context.get("min_length") == 1:
        words = "must not be empty"
    elif kind in _SIZES:
        sized = context.get("field_type")
        words = _SIZES[kind].format(**context, kind=_KINDS.get(str(sized), "characters"))
    elif kind in _WORDS:
        words = _WORDS[kind].format(**_plain(context))
    else:
        words = "cannot be used"
    return words[:_LONGEST].encode("utf-8", "replace").decode()


def _plain(context: Mapping[str, object]) -> dict[str, str]:
    """Choices without quotes, `a, b or c`; and no braces that were not ours."""
    return {name: str(value).replace("'", "") if name in _QUOTED else str(value) for name, value in context.items()}
