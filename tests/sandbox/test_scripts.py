"""Names in other scripts: set with letters that exist, shaped as their script wants, or named as not settable."""

import pytest

from bmn_sandbox.media.faces import DISPLAY, HAND, OTHER_SCRIPTS, Face, faces_for, main_script
from bmn_sandbox.media.lettering import covers, glyph_ids, set_line
from bmn_sandbox.media.logo.brief import STYLES, initials_of, read_brief
from bmn_sandbox.media.logo.logos import designed
from bmn_sandbox.sheets import NAMES_IN_SCRIPTS, logo_prompt

LETTERS = {
    "Cyrillic": "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "Greek": "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ",
    "Arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأإئؤةى",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשתךםןףץ",
    "Devanagari": "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहािीुूेैोौं्",
    "Thai": "กขคงจฉชซญดตถทนบปผฝพฟภมยรลวศษสหอฮะาิีึืุูเแโใไ่้๊๋",
    "Han": "山茶咖啡花店工作室北京上海",
    "Kana": "あいうえおかきくけこさしすせそアイウエオカキクケコー朝",
    "Hangul": "새벽커피한국서울카페책방",
}


@pytest.mark.parametrize("script", LETTERS)
def test_every_face_of_a_script_has_its_letters(script: str) -> None:
    for style, faces in OTHER_SCRIPTS[script].items():
        for face in faces:
            assert covers(face, face.cased(LETTERS[script])), (style, face)


def test_every_face_for_latin_names_has_their_letters() -> None:
    for face in {*HAND, *(face for faces in DISPLAY.values() for face in faces)}:
        assert covers(face, face.cased("ABCXYZ abcxyz äöüéèñçøåßŁł 0123456789 &+-.!'")), face


@pytest.mark.parametrize("name", NAMES_IN_SCRIPTS)
@pytest.mark.parametrize("style", STYLES)
def test_a_name_is_set_without_a_missing_glyph(name: str, style: str) -> None:
    for kind in ("wordmark", "emblem", "organic", "lettermark"):
        brief = read_brief(logo_prompt(name, style, kind), 4)
        assert brief.name == name and not brief.unset
        for text in (brief.display.cased(name), "".join(brief.initials)):
            assert 0 not in glyph_ids(brief.display, text), (brief.display, text)
        assert designed(brief).width > 200


def test_arabic_letters_are_joined() -> None:
    [face, *_] = faces_for("modern", "Arabic")
    word, apart = glyph_ids(face, "قهوة"), [glyph_ids(face, letter)[0] for letter in "قهوة"]
    assert len(word) >= 4
    assert not set(word) & set(apart[:3]), "letters inside a word have other forms than alone"


def test_arabic_and_hebrew_run_from_right_to_left() -> None:
    for face, name in ((faces_for("modern", "Arabic")[0], "باب دار"), (faces_for("modern", "Hebrew")[0], "אב גד")):
        clusters = [glyph.cluster for glyph in set_line(face, name).glyphs]
        assert clusters == sorted(clusters, reverse=True)


def test_words_of_two_scripts_stand_in_reading_order() -> None:
    left_to_right = [g.cluster for g in set_line(Face("Outfit", 600), "Café קפה 24").glyphs]
    assert left_to_right[:4] == [0, 1, 2, 3] and left_to_right[-2:] == [9, 10]


def test_a_vowel_sign_is_placed_before_its_consonant() -> None:
    [face, *_] = faces_for("modern", "Devanagari")
    assert glyph_ids(face, "कि") != [*glyph_ids(face, "क"), *glyph_ids(face, "ि")]


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Acme Coffee", ("A", "C")),
        ("Saffron Street", ("S",)),
        ("The House of Wine", ("H", "W")),
        ("सुबह की चाय", ("सु",)),
        ("เช้า", ("เช้",)),
        ("山茶咖啡", ("山", "茶")),
        ("새벽 커피", ("새",)),
        ("Кофейня Рассвет", ("К", "Р")),
        ("", ()),
    ],
)
def test_initials_are_what_a_reader_takes_for_letters(name: str, initials: tuple[str, ...]) -> None:
    assert initials_of(name) == initials


def test_what_no_typeface_has_is_said_in_the_picture() -> None:
    known, unknown = (read_brief(logo_prompt(name, "modern", "wordmark"), 1) for name in ("Salam", "Salam ሰላም"))
    assert (unknown.name, unknown.unset) == ("Salam", ("ሰላም",))
    low = [box for box in designed(unknown).boxes() if box[1] > 440]
    assert low and not [box for box in designed(known).boxes() if box[1] > 440]


def test_japanese_is_one_script() -> None:
    assert main_script("朝のコーヒー") == "Kana"
    assert main_script("山茶咖啡") == "Han"
    assert main_script("24/7") == "Latin"
