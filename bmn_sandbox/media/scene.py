"""What every product drawing is given: a brand's colors, and its logo as it is printed on each of them."""

from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from bmn_sandbox.media.color import BLACK, WHITE, Color
from bmn_sandbox.media.inks import changed_for, inks_of, printed, readable, reads_as_it_is
from bmn_sandbox.media.placement import Logo, fitted

CREAM = Color(240, 231, 214)
KRAFT = Color(216, 184, 142)
STEEL = Color(222, 225, 228)
PORCELAIN = Color(250, 248, 244)


@dataclass(frozen=True)
class Scene:
    """logo: None draws the blank product. palette: the brand's colors, first its own. wanted: a color that was asked for."""

    logo: Logo | None
    palette: tuple[Color, ...]
    wanted: Color | None = None

    @property
    def brand(self) -> Color:
        return self.palette[0]

    @property
    def plain(self) -> bool:
        return self.wanted == WHITE

    @cached_property
    def deep(self) -> Color:
        """The brand's own color as dark cloth has it."""
        return self.brand.mixed(BLACK, 0.5 if self.brand.luminance > 0.35 else 0.25)

    @cached_property
    def second(self) -> Color:
        """What goes with the brand's own color: the next of its palette that is not nearly white, else a tint."""
        others = (color for color in self.palette[1:] if color.luminance < 0.85)
        return next(others, self.brand.mixed(WHITE, 0.55))

    @cached_property
    def inks(self) -> list[Color]:
        return inks_of(self.logo) if self.logo else []

    def on(self, *colors: Color) -> Color:
        """The color of a product: the one that was asked for, else the first on which the logo can be printed."""
        tried = (self.wanted,) if self.wanted else colors
        return tried[0] if self.logo is None else readable(self.logo, tried)

    def on_its_own(self, *colors: Color) -> Color:
        """The color of a product: the one that was asked for, else the first on which no ink of the logo has to change."""
        if self.wanted or self.logo is None:
            return self.wanted or colors[0]
        logo = self.logo
        return next((color for color in colors if reads_as_it_is(logo, color)), colors[-1])

    def art(self, width: float, height: float, on: Color) -> Image.Image | None:
        """The logo as it is printed on a color, fitted into a box."""
        if self.logo is None:
            return None
        twice = Logo(fitted(self.logo.art, 2 * width, 2 * height), self.logo.ground)
        return fitted(printed(twice, on, self.inks, changed_for(self.logo, on)), width, height)
