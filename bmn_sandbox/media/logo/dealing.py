"""What each kind of logo is dealt of a brand's ideas, so that the logos of a set are as many ideas.

The logos of a set are drawn one by one, each by its own seed: what keeps them apart is what name and style decide.
"""

import random
from collections.abc import Sequence

from bmn_sandbox.media.logo.frames import FORMS, FORMS_OF
from bmn_sandbox.media.logo.motif_words import KIN
from bmn_sandbox.media.logo.motifs import MOTIFS

# The order in which kinds take from the deck: those that mostly stand side by side take what lies next to each other.
_TURNS = ("icon", "emblem", "lettermark", "wordmark", "combination", "negative", "organic", "geometric")
_HANDS = 3  # that there are: more would leave a kind with one form of its style, or one drawing
_FEW = 3  # drawings, below which a name's own are joined by what goes with them
_AS_DEALT = 0.75  # of all seeds; the others take any, so that a second set is not the first one

Drawing = tuple[str, int]
"""A motif, and which of its drawings."""


def drawing_for(kind: str, style: str, motifs: Sequence[str], name: str, rng: random.Random) -> Drawing:
    """The drawing that a kind of logo shows; the logos that stand beside it show others where the name calls for any."""
    deck = _deck(motifs, random.Random(f"{name}|{style}"))
    hands = min(_HANDS, len(deck))
    return rng.choice(deck[_TURNS.index(kind) % hands :: hands] if rng.random() < _AS_DEALT else deck)


def _deck(motifs: Sequence[str], order: random.Random) -> list[Drawing]:
    """All drawings of the motifs, one of each motif before the second of any."""
    count = sum(len(MOTIFS[motif]) for motif in motifs)
    joined = list(motifs) + ([KIN[motifs[0]]] if count < _FEW and KIN.get(motifs[0]) not in (None, *motifs) else [])
    versions = {motif: order.sample(range(len(MOTIFS[motif])), len(MOTIFS[motif])) for motif in joined}
    most = max(map(len, versions.values()))
    return [(motif, versions[motif][turn]) for turn in range(most) for motif in joined if turn < len(versions[motif])]


def forms_for(kind: str, style: str, name: str) -> tuple[str, ...]:
    """The forms that a kind may be framed in; the kinds that take before and after it have none of them."""
    order = random.Random(f"{name}|{style}")
    own, others = list(FORMS_OF[style]), [form for form in FORMS if form not in FORMS_OF[style]]
    order.shuffle(own)
    order.shuffle(others)
    return tuple((own + others)[_TURNS.index(kind) % _HANDS :: _HANDS])
