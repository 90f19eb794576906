"""The film of an unboxing: a carton opens, the product springs up out of it and comes to the front, into the light."""

from dataclasses import dataclass
from functools import cached_property

from PIL import Image, ImageFilter

from bmn_sandbox.media import sets
from bmn_sandbox.media.carton import Carton
from bmn_sandbox.media.color import BLACK, WHITE
from bmn_sandbox.media.confetti import confetti
from bmn_sandbox.media.stage import Point, Shot, Stage, between, eased, smaller, sprung
from bmn_sandbox.media.turning import lit

_OPENS, _RISES, _COMES, _SHINES = (0.05, 0.3), (0.26, 0.62), (0.58, 0.84), (0.86, 1.0)  # from when to when
_FLIES = (0.29, 0.92)
_BOXED = 0.56  # so large the product is in the carton at most, beside the end
_LANDS = 0.85  # of its way to the front, from where its foot throws a shadow
_COARSE = 4  # what is out of focus is drawn this much smaller


def unboxing(stage: Stage) -> Shot:
    """It is sharp behind the product until that comes to the front."""
    scene = _Scene(stage)

    def at(moment: float) -> Image.Image:
        opened, risen = eased(between(moment, *_OPENS)), sprung(between(moment, *_RISES))
        forward, flown = eased(between(moment, *_COMES)), between(moment, *_FLIES)
        if forward == 0:
            frame = scene.box(opened, risen)
            scene.papers(frame, flown, near=False)
        else:
            frame = scene.behind(forward)
            scene.papers(frame, flown, near=False)
            scene.coming(frame, forward, between(moment, *_SHINES))
        scene.papers(frame, flown, near=True)
        return frame

    return at


@dataclass(frozen=True)
class _Scene:
    stage: Stage

    @cached_property
    def whole(self) -> Image.Image:
        """The product as large as it gets."""
        art = self.stage.art(0.82)
        return smaller(art, min(1.0, 0.74 * self.stage.unit / art.width))

    @cached_property
    def boxed(self) -> Image.Image:
        return smaller(self.whole, self.share)

    @cached_property
    def share(self) -> float:
        """How large it is in the carton, beside the end, so that all of it is seen once it is out."""
        unit = self.stage.unit
        return min(_BOXED, 0.4 * unit / self.whole.width, 0.44 * unit / self.whole.height)

    @cached_property
    def carton(self) -> Carton:
        inner = max(self.boxed.width * 0.62, self.stage.unit * 0.2)
        return Carton(self.stage.colors[1].mixed(WHITE, 0.08), self.stage.colors[0].mixed(BLACK, 0.1), inner)

    @property
    def foot(self) -> Point:
        """Where the carton stands."""
        return self.stage.size[0] / 2, self.stage.size[1] * 0.8

    @cached_property
    def plate(self) -> Image.Image:
        """The wall, and the shadow of the carton."""
        plate = sets.wall(self.stage.size, self.stage.colors[0], self.foot[1])
        sets.stand(plate, [(self.foot[0] + x, self.foot[1] + y) for x, y in self.carton.ground()], 0.75)
        return plate

    def box(self, opened: float, risen: float) -> Image.Image:
        """The carton, and the product as far as it is out of it."""
        layers = self.carton.opened(opened)
        at = (round(self.foot[0] - layers.foot[0]), round(self.foot[1] - layers.foot[1]))
        if opened == 1:
            frame = self._opened.copy()
        else:
            frame = self.plate.copy()
            frame.paste(layers.back[0], at, layers.back[1])
        if risen > 0:
            top = self._top(risen)
            shown = self.boxed.crop((0, 0, self.boxed.width, max(8, round(self.foot[1] - top))))
            frame.paste(shown, (round(self.foot[0] - shown.width / 2), round(top)), shown)
        frame.paste(layers.front[0], at, layers.front[1])
        return frame

    @cached_property
    def _opened(self) -> Image.Image:
        """The open carton without its front."""
        layers, frame = self.carton.opened(1.0), self.plate.copy()
        at = (round(self.foot[0] - layers.foot[0]), round(self.foot[1] - layers.foot[1]))
        frame.paste(layers.back[0], at, layers.back[1])
        return frame

    @property
    def _mouth(self) -> Point:
        x, y = self.carton.mouth()
        return self.foot[0] + x, self.foot[1] + y

    def _top(self, risen: float) -> float:
        """Where the upper end of the product is: at the rim of the carton at first, its height above that at last."""
        return self.foot[1] - self.carton.rim() - self.boxed.height * risen

    @cached_property
    def _focused(self) -> tuple[Image.Image, Image.Image]:
        """The open carton, sharp and out of focus."""
        sharp = self.box(1.0, 0.0)
        small = sharp.reduce(_COARSE).filter(ImageFilter.GaussianBlur(self.stage.unit / 480))
        soft = small.resize(sharp.size, Image.Resampling.BICUBIC)
        sets.glow(soft, (self.foot[0], self.stage.size[1] * 0.5), self.stage.unit * 0.75, 0.5)
        return sharp, soft

    def behind(self, forward: float) -> Image.Image:
        sharp, soft = self._focused
        frame = Image.blend(sharp, soft, forward) if forward < 1 else soft.copy()
        sets.fall(frame, self._shade, (self.foot[0], self.stage.near + 2), forward**3)
        return frame

    @cached_property
    def _shade(self) -> Image.Image:
        return sets.shadow(self.whole.width * 0.95, self.stage.depth * 0.6)

    def coming(self, frame: Image.Image, forward: float, shone: float) -> None:
        """The product on its way to the front, and the light that goes over it there. shone: how far, 0 to 1."""
        art = smaller(self.whole, self.share + (1 - self.share) * forward)
        start = self._top(1.0) + self.boxed.height
        foot = start + (self.stage.near - self.stage.lift - start) * forward
        if not self.stage.floats and forward > _LANDS:
            depth = self.stage.depth * between(forward, _LANDS, 1.0)
            sets.touch(frame, art, (self.foot[0], self.stage.near), depth)
        if 0 < shone < 1:
            art = lit(art, 1.3 * eased(shone) - 0.15, strength=0.34)
        sets.put(frame, art, (self.foot[0], foot))

    def papers(self, frame: Image.Image, flown: float, *, near: bool) -> None:
        colors = (*self.stage.colors, WHITE)
        confetti(frame, colors, self._mouth, self.stage.unit, flown, near=near)
