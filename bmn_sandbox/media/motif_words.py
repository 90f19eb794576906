"""Which words in a brand's name or vision call for which motif, and a line of copy that goes with it."""

import re

_WORDS: dict[str, str] = {
    "cup": "coffee café cafe espresso latte barista tea brew mug chai ☕ 茶 咖",
    "bean": "roast roastery roaster bean cocoa chocolate coffee",
    "leaf": "leaf green eco organic nature natural botanic herb vegan plant matcha 🌿 🍃 🌱",
    "sprout": "garden grow sprout seed farm bloomfield sustain soil",
    "mountain": "mountain peak summit alpine hike hiking climb ridge outdoor adventure trail explorer ⛰ 🏔 山",
    "sun": "sun sol solar bright light shine summer ☀ 🌞 日",
    "sunrise": "dawn sunrise morning horizon east",
    "moon": "moon luna lunar night dream sleep 🌙 月",
    "wave": "wave ocean sea surf beach coast river flow water marine 🌊 海",
    "star": "star stella astro nova hero ⭐ ★ 星",
    "bolt": "bolt electric energy power volt spark fast speed flash charge sport fitness gym ⚡",
    "lotus": "yoga lotus zen spa meditation calm wellness mindful balance",
    "flower": "flower floral bloom blossom rose daisy petal florist beauty 🌸 🌹 花",
    "house": "house home estate realty nest cottage homestead interior furniture 🏠 家",
    "book": "book read story library school academy learn press sage education 📚 📖 本",
    "paw": "pet dog paw hound puppy animal vet 🐾 🐶",
    "cat": "cat kitten feline 🐱 猫",
    "fish": "fish salmon sushi seafood tuna 🐟 🍣 鱼",
    "bird": "bird wren robin sparrow finch dove swan nightingale feather 🐦 🕊 鸟",
    "heart": "heart love care health lover charity kind ❤ ♥ 爱",
    "gear": "gear machine motor engine industrial mechanic tool factory engineering ⚙",
    "anvil": "anvil forge smith iron steel craft acme hammer",
    "rocket": "rocket launch space orbit startup cosmic 🚀",
    "flame": "flame fire grill bbq hot ember kitchen 🔥 火",
    "drop": "drop rain dew oil juice water 💧 水",
    "pine": "pine forest tree wood timber cedar camp cabin 🌲 木",
    "compass": "north compass travel journey voyage navigator guide",
    "wind": "wind breeze air gale sail",
    "wheat": "wheat bread bakery bake baker grain flour brewery beer 🌾 🍞",
    "diamond": "diamond jewel jewelry jewellery gem crystal luxury ring 💎",
    "crown": "crown royal king queen ruler regal 👑 王",
    "music": "music sound song audio melody band record 🎵 🎶",
    "code": "code software tech data dev digital app byte cloud",
    "globe": "globe world global planet earth international 🌍 🌎",
    "lens": "photo lens camera film photography 📷",
    "anchor": "anchor harbor harbour port ship sailor nautical ⚓",
    "grapes": "wine vine grape vineyard cellar 🍇 🍷",
}

TAGLINES: dict[str, str] = {
    "cup": "FRESHLY BREWED",
    "bean": "SLOW ROASTED",
    "leaf": "NATURALLY GOOD",
    "sprout": "GROWN WITH CARE",
    "mountain": "GO FURTHER",
    "sun": "BRIGHT BY NATURE",
    "sunrise": "EVERY DAY ANEW",
    "moon": "REST & RISE",
    "wave": "MADE BY THE SEA",
    "bolt": "FULL POWER",
    "lotus": "BREATHE · MOVE · BE",
    "flower": "IN FULL BLOOM",
    "house": "WELCOME HOME",
    "book": "STORIES & IDEAS",
    "paw": "GOOD COMPANY",
    "heart": "MADE WITH LOVE",
    "gear": "BUILT TO LAST",
    "anvil": "BUILT TO LAST",
    "rocket": "READY TO LAUNCH",
    "flame": "FIRED UP",
    "compass": "FIND YOUR WAY",
    "wind": "FAIR & FREE",
    "wheat": "BAKED DAILY",
    "crown": "FIRST OF ITS KIND",
    "music": "TURN IT UP",
    "anchor": "STEADY & TRUE",
}


def motifs_for(name: str, vision: str) -> list[str]:
    """The motifs a brand's words call for: those of its name first, later words before earlier ones."""
    lowered = name.lower()
    hits: list[tuple[int, str]] = []
    for motif, words in _WORDS.items():
        at = max((lowered.rfind(word) for word in words.split() if _within(word, lowered)), default=-1)
        if at >= 0:
            hits.append((-at, motif))
    found = [motif for _at, motif in sorted(hits)]
    for word in re.findall(r"[^\W\d_]+", vision.lower()):
        told = {word, word.rstrip("s")}
        found += [motif for motif, words in _WORDS.items() if motif not in found and told & set(words.split())]
    return found


def _within(word: str, name: str) -> bool:
    """Short words only count as words: there is no `air` in `Fairway`."""
    if len(word) > 3 or not word.isascii():
        return word in name
    return re.search(rf"\b{word}\b", name) is not None
