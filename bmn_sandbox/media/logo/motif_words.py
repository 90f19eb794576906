"""Which words in a brand's name or vision call for which motif, and a line of copy that goes with it."""
# ruff: noqa: E501 - data reads worse when it is broken

import functools
import re

_WORDS: dict[str, str] = {
    "cup": "coffee café cafe espresso latte barista tea brew mug chai teahouse кофе кофейня чай καφέ καφές قهوة شاي "
    "קפה תה चाय कॉफ़ी กาแฟ ชา 茶 咖啡 コーヒー 커피 차 ☕",
    "bean": "roast roastery bean cocoa chocolate coffee espresso",
    "leaf": "leaf leaves green eco organic nature natural botanic botanical herb herbal vegan plant matcha foliage 🌿 🍃 🌱 叶 葉",
    "sprout": "garden grow growth sprout seed farm bloomfield sustain sustainable soil nursery greenhouse 庭 сад",
    "mountain": "mountain peak summit alpine alps hike climb ridge outdoor adventure trail explorer everest ⛰ 🏔 山 гора",
    "sun": "sun sol solar bright sunny summer shine ☀ 🌞 日 солнце ήλιος شمس שמש सूर्य 태양",
    "sunrise": "dawn sunrise morning horizon east рассвет صباح الصباح שחר השחר सुबह เช้า 朝 새벽",
    "moon": "moon luna lunar night dream sleep nocturne 🌙 月 луна قمر ירח 달",
    "wave": "wave ocean sea surf beach coast river flow water marine bay tide lake 🌊 海 море θάλασσα بحر ים 바다",
    "star": "star stella astro nova hero stellar ⭐ ★ 星 звезда نجمة",
    "bolt": "bolt electric energy power volt spark speed flash charge sprint ⚡",
    "dumbbell": "sport fitness gym muscle athlete athletic workout strong iron crossfit 💪",
    "lotus": "yoga lotus zen spa meditation calm wellness mindful balance pilates retreat",
    "flower": "flower floral bloom blossom rose daisy petal florist marigold lily tulip iris lavender jasmine orchid peony poppy magnolia bouquet beauty skincare cosmetic cosmetics 🌸 🌹 花 цветы",
    "butterfly": "butterfly metamorphosis transform wings flutter papillon 🦋",
    "house": "house home estate realty nest cottage homestead interior interiors furniture realtor property 🏠 家 дом",
    "key": "key keys lock inn rental airbnb 🔑",
    "book": "book books read reader story stories library school academy learn press sage education publishing montessori 📚 📖 本 书",
    "pencil": "pencil write writer design designer draw sketch ink paper stationery copy ✏",
    "bulb": "idea ideas bulb creative innovation invent think light lamp lighting 💡",
    "paw": "pet pets dog paw hound puppy animal vet barking bark kennel grooming 🐾 🐶",
    "cat": "cat kitten feline kitty meow 🐱 猫",
    "fish": "fish salmon sushi seafood tuna fishery 🐟 🍣 鱼 魚 рыба",
    "bird": "bird wren robin sparrow finch dove swan nightingale feather raven 🐦 🕊 鸟 鳥 птица",
    "bee": "bee honeybee honey hive bees apiary 🐝",
    "heart": "heart love lover charity kind kindness nurse hospice ❤ ♥ 爱 愛 любовь",
    "tooth": "dental dentist tooth teeth orthodontic smile 🦷",
    "gear": "gear machine motor engine industrial mechanic mechanical tool tools factory engineering ⚙",
    "anvil": "anvil forge smith blacksmith steel acme hammer foundry metalwork",
    "rocket": "rocket launch space orbit startup cosmic cosmos galaxy 🚀",
    "flame": "flame fire bbq hot ember ignite campfire chili 🔥 火",
    "pot": "kitchen cook cooking chef bistro restaurant diner soup grill food catering eatery cuisine 🍲 кухня مطبخ",
    "burger": "burger burgers hamburger slider 🍔",
    "sandwich": "sandwich sandwiches deli sub panini toast 🥪",
    "cupcake": "cake cakes cupcake patisserie sweet sweets dessert pastry candy confectionery 🧁 🎂",
    "drop": "drop rain dew oil juice serum essence 💧 水",
    "pine": "pine forest tree trees wood woods timber cedar camp camping cabin evergreen woodland 🌲 木 лес",
    "compass": "north compass travel journey voyage navigator guide wander nomad tours 🧭",
    "wind": "wind breeze air gale ventilation",
    "kite": "kite kites 🪁",
    "boat": "sail sailing boat boats yacht regatta ferry ⛵",
    "fox": "fox foxes vixen reynard 🦊",
    "bell": "hotel hotels hostel concierge bell lobby 🛎",
    "lighthouse": "harbor harbour lights lighthouse beacon",
    "wheat": "wheat bread bakery bake baker grain flour brewery beer brewing sourdough 🌾 🍞 пекарня מאפיית مخبز",
    "diamond": "diamond jewel jewelry jewellery jeweler gem crystal luxury ring 💎",
    "crown": "crown royal king queen ruler regal kings 👑 王",
    "shield": "security secure guard guardian shield insurance safe safety protect defense 🛡",
    "chart": "accounting accountant finance financial invest investment analytics bank capital wealth consulting advisory tax 📈",
    "bubble": "support chat talk message help helpdesk hub community social podcast conversation 💬",
    "scissors": "barber salon hair hairdresser tailor scissors haircut stylist ✂",
    "bike": "bike bicycle cycle cycling cyclist ride velo 🚲",
    "car": "car cars auto automotive garage taxi drive driving motors 🚗",
    "music": "music sound song audio melody band record records jazz vinyl 🎵 🎶",
    "code": "code software tech technology data dev digital app byte cloud web computing",
    "globe": "globe world global planet earth international worldwide 🌍 🌎",
    "lens": "photo photography lens camera film studio cinema photographer 📷",
    "anchor": "anchor port ship sailor nautical marina ⚓",
    "grapes": "wine vine grape vineyard cellar winery sommelier 🍇 🍷",
}

# What goes with a motif that there is one drawing of.
KIN: dict[str, str] = {
    "kite": "wind", "wind": "kite", "boat": "wave", "anchor": "wave", "lighthouse": "wave", "fox": "pine", "cat": "heart",
    "butterfly": "flower", "key": "house", "bell": "key", "heart": "flower", "pencil": "book", "bulb": "star",
    "tooth": "star", "shield": "key", "burger": "flame", "sandwich": "wheat", "cupcake": "heart", "bike": "gear",
    "car": "gear",
}  # fmt: skip

# What a word may end in and still be the same word: roast, roasts, roaster, roasters, roasting, bakery.
_ENDINGS = r"(?:s|es|'s|’s|er|ers|ing|ed|ery|y|ies|in|an|ian)?"


@functools.cache
def _vocabulary() -> dict[str, tuple[str, ...]]:
    """Each known word with its motifs, in the order in which they stand above."""
    found: dict[str, list[str]] = {}
    for motif, words in _WORDS.items():
        for word in words.split():
            found.setdefault(word, []).append(motif)
    return {word: tuple(motifs) for word, motifs in found.items()}


def motifs_for(name: str, vision: str) -> list[str]:
    """The motifs that a brand's words call for: those of its name first, later words before earlier ones.

    A motif's word must be a whole word of the name, or its stem: there is no tree in `Street` and no port in `Support`.
    """
    found: list[str] = []
    for word in [*reversed(_words(name)), *_words(vision)]:
        found += [motif for motif in _of_word(word) if motif not in found]
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"(?:[^\W\d_]|[\u0900-\u097f\u0e00-\u0e7f])+(?:['’]s)?|[^\w\s]", text.lower())


@functools.lru_cache(2048)
def _of_word(word: str) -> tuple[str, ...]:
    known = _vocabulary()
    if motifs := _stem(word):
        return motifs
    if not word.isascii():
        # Scripts that write no spaces, or that join an article to a word.
        return tuple(
            dict.fromkeys(m for key, motifs in known.items() if not key.isascii() and key in word for m in motifs)
        )
    # A compound of two known words, as in Northwind and Moonbeam Coffeehouse.
    for cut in range(4, len(word) - 3):
        first, second = _stem(word[:cut]), _stem(word[cut:])
        if first and second:
            return (*second, *first)
    return ()


@functools.lru_cache(4096)
def _stem(word: str) -> tuple[str, ...]:
    known = _vocabulary()
    if word in known:
        return known[word]
    for key in (word[:end] for end in range(len(word) - 1, 2, -1)):
        for stem in (key, f"{key}e"):  # bake, baking
            long_enough = len(stem) > 3 or word == f"{stem}s"  # an Inner is no inn
            if stem in known and long_enough and re.fullmatch(_ENDINGS, word[len(key) :]):
                return known[stem]
        if len(key) > 3 and key[-1] == key[-2] and key[:-1] in known and word[len(key) :] in ("er", "ing", "ed", "ers"):
            return known[key[:-1]]  # run, runner
    return ()
