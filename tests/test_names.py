"""Names and words of people, of any script: one form, one rule, whole, and nothing that hides or reorders them."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bmn.cleaning import cleaned_text
from bmn.cli.following.output_files import write
from bmn.cli.terminal.cells import clean
from bmn.names import LONGEST_STEM, cut, key_of, one_line, plain, stem_of, visible
from bmn.schemas.base import Name

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
NAMES = TypeAdapter(Name)
HIDDEN = ["\u202e", "\u202a", "\u2066", "\u2069", "\u206a", "\u3164", "\u115f", "\U000e0041", "\u034f", "\u2062"]
WHOLE = [
    "Café Rouge",
    "हिन्दी",
    "می\u200cخواهم",
    "ශ්\u200dරී",
    "👨\u200d👩\u200d👧 & Söhne",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f Tea",
    "❤\ufe0f",
    "ไทย",
    "Nguyễn",
    "한국",
    "שָׁלוֹם",
    "𝒜cme",
]


@pytest.mark.parametrize(
    "spelling", ["CAFÉ ROUGE", "cafe\u0301 rouge", "  Café   Rouge ", "ＣＡＦÉ Rouge", "Ca\u200bfé Rouge"]
)
def test_spellings_of_one_name_have_one_key(spelling: str) -> None:
    assert key_of(spelling) == key_of("Café Rouge")


@pytest.mark.parametrize(("one", "other"), [("STRASSE", "Straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ﬁlm", "FILM")])
def test_case_is_the_alphabets_own(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


def test_other_names_are_others() -> None:
    assert len({key_of(name) for name in (*WHOLE, "Cafe Rouge", "漢" * 90, "漢" * 91, "東京")}) == len(WHOLE) + 4


@given(TEXTS)
@example("\u0958" * 200)
@example("\ufdfa" * 60)
def test_a_key_is_of_any_spelling_and_fits_an_index(text: str) -> None:
    key = key_of(text)
    assert len(key.encode()) <= 200
    for spelling in (unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")):
        assert key_of(spelling) == key
    assert key_of(text.casefold()) == key


@given(TEXTS)
def test_what_came_in_once_comes_in_again_unchanged(text: str) -> None:
    try:
        once = one_line(text)
    except ValueError:
        return
    assert one_line(once) == once == visible(once) == without_newlines(once)
    assert key_of(once) == key_of(text)


def without_newlines(text: str) -> str:
    return text.replace("\n", "").replace("\r", "")


@pytest.mark.parametrize("name", WHOLE)
def test_every_script_is_whole(name: str) -> None:
    assert one_line(name) == unicodedata.normalize("NFC", name) == clean(one_line(name))
    assert cleaned_text(name) == name
    letters = [each for each in unicodedata.normalize("NFC", name.casefold()) if unicodedata.category(each)[0] in "LMN"]
    assert [each for each in stem_of(name) if each != "-"] == letters


@pytest.mark.parametrize("character", HIDDEN)
def test_what_hides_or_reorders_is_refused_or_shown(character: str) -> None:
    text = f"ac{character}me"
    with pytest.raises(ValueError, match=rf"U\+{ord(character):04X}"):
        plain(text)
    with pytest.raises(ValidationError, match="nobody sees"):
        NAMES.validate_python(text)
    assert clean(text) == f"ac<U+{ord(character):04X}>me"
    assert cleaned_text(text) == "acme"


@pytest.mark.parametrize("text", ["\u200b", "\u200d", " \ufeff ", "\u00ad"])
def test_a_name_of_nothing_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        NAMES.validate_python(text)


def test_a_name_is_one_line_and_no_longer_than_its_column() -> None:
    assert NAMES.validate_python("Acme\r\nBcc: x") == "Acme Bcc: x"
    assert len(NAMES.validate_python("漢" * 200)) == 200
    with pytest.raises(ValidationError, match="at most 200"):
        NAMES.validate_python("\u0958" * 200)


@given(TEXTS)
@example("漢" * 90)
@example("e" + "\u0301" * 200)
def test_a_stem_is_one_part_of_a_path_and_short_enough_in_bytes(text: str) -> None:
    stem = stem_of(text)
    assert stem and 0 < len(stem.encode()) <= LONGEST_STEM
    assert not {"/", "\\", ".", "\x00", " "} & set(stem)


@given(TEXTS, st.integers(0, 60))
def test_a_cut_leaves_whole_characters_with_their_marks(text: str, most: int) -> None:
    begun = cut(text, most)
    assert text.startswith(begun) and len(begun.encode()) <= most
    assert begun == text or not begun or unicodedata.category(text[len(begun)])[0] != "M"


@pytest.mark.parametrize("name", ["漢" * 90, "👨\u200d👩\u200d👧" * 40, "ก\u0e33" * 90, "A" * 200])
def test_a_picture_of_a_long_name_can_be_written(tmp_path: "pytest.TempPathFactory", name: str) -> None:
    path = tmp_path / f"{stem_of(name)}-social-asset-a1b2-12.png"  # type: ignore[operator]
    write(path, b"picture")
    assert path.read_bytes() == b"picture"
