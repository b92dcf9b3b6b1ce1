"""One picture of the benchmark `shapes`: a textured ground, plain stones, and creatures told by their head alone."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

CLASSES = ("background", "fish", "snail", "bee", "bird", "squid", "boat")
SURROUNDINGS = ("grass", "sand", "water", "sky", "gravel")
CONFOUNDER = {"boat": "water", "bird": "sky"}
"""Classes that come with one background nearly always (probability `CONFOUNDED`); no other class prefers one."""
CONFOUNDED = 0.95

_SCALE = 4  # pixels are averages of 4 x 4 drawn ones
_HEAD = 1.1
_WHITE, _BLACK, _RED, _ORANGE, _YELLOW = (245, 245, 240), (25, 22, 25), (205, 40, 40), (240, 140, 30), (245, 205, 40)
_COLOURS = {
    "grass": ((96, 128, 70), (72, 106, 56)),
    "sand": ((202, 182, 140), (182, 160, 118)),
    "water": ((62, 104, 140), (44, 82, 120)),
    "sky": ((168, 196, 220), (140, 176, 210)),
    "gravel": ((142, 136, 130), (118, 112, 108)),
}

Point = tuple[float, float]
Part = tuple[str, list[Point], float, tuple[int, int, int] | None]
"""("polygon" | "line" | "disc", points, line width or radius, colour); colour None is the body's. The origin lies on
the body's axis near its end, x leads away from the body, the unit is `_HEAD` half widths of the body."""


@dataclasses.dataclass(frozen=True)
class Creature:
    """One instance. x, y, length, width in pixels, angle in radians; class 0 is a stone: a body without a head."""

    class_id: int
    x: float
    y: float
    length: float
    width: float
    angle: float
    colour: tuple[int, int, int]
    taper: float


@dataclasses.dataclass(frozen=True)
class Scene:
    """A picture and what is known about it; all arrays [h, w].

    image: uint8 RGB [h, w, 3]. mask: uint8 class ids, 255 on the outline. instances: uint8 1.., 255 on the outline.
    heads: bool, the telling parts. saliency: uint8 0..255. classes: class id of each instance, index = number - 1.
    boxes: (left, top, right, bottom) of each instance, in pixels, 0-based, right and bottom inclusive.
    """

    image: np.ndarray
    mask: np.ndarray
    instances: np.ndarray
    heads: np.ndarray
    saliency: np.ndarray
    surroundings: str
    classes: tuple[int, ...]
    boxes: tuple[tuple[int, int, int, int], ...]


def draw_scene(rng: np.random.Generator, classes: list[int], height: int, width: int) -> Scene:
    """Draw one picture of height x width pixels with an instance of each entry of `classes` (ids 1..6, 1-4 entries)."""
    surroundings = _surroundings(rng, classes)
    canvas = _ground(rng, surroundings, height, width)
    side = max(height, width)
    stones = [0] * int(rng.choice([0, 1, 2], p=[0.4, 0.4, 0.2]))
    mean = canvas.mean((0, 1))
    creatures = _place(rng, [*stones, *classes], height, width, side, mean)
    coverage = [_draw(canvas, rng, creature) for creature in creatures]
    return _scene(rng, canvas, surroundings, creatures, coverage)


def _scene(
    rng: np.random.Generator,
    canvas: np.ndarray,
    surroundings: str,
    creatures: list[Creature],
    coverage: list[tuple[np.ndarray, np.ndarray]],
) -> Scene:
    """Masks from what each creature covers, in drawing order: a later one hides an earlier one."""
    height, width = canvas.shape[:2]
    mask, instances = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    heads, saliency = np.zeros((height, width), bool), np.zeros((height, width))
    numbers = np.cumsum([creature.class_id > 0 for creature in creatures])
    for creature, number, (alpha, head) in zip(creatures, numbers, coverage, strict=True):
        strength = rng.uniform(0.75, 1.0) if creature.class_id else rng.uniform(0.0, 0.6)
        saliency = saliency * (1 - alpha) + alpha * strength
        inside, outline = alpha >= 0.9, (alpha > 0.1) & (alpha < 0.9)
        heads[alpha > 0.1] = False
        mask[inside], instances[inside] = creature.class_id, number if creature.class_id else 0
        if creature.class_id:
            mask[outline] = instances[outline] = 255
            heads |= (head >= 0.5) & inside
    classes = tuple(creature.class_id for creature in creatures if creature.class_id)
    soft = Image.fromarray((saliency * 255).round().astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.5))
    grain = rng.normal(0, 2.0, canvas.shape)
    return Scene(
        image=np.clip(canvas + grain, 0, 255).round().astype(np.uint8),
        mask=mask,
        instances=instances,
        heads=heads,
        saliency=np.asarray(soft),
        surroundings=surroundings,
        classes=classes,
        boxes=tuple(_box(instances == number) for number in range(1, len(classes) + 1)),
    )


def _surroundings(rng: np.random.Generator, classes: list[int]) -> str:
    for class_id in classes:
        fixed = CONFOUNDER.get(CLASSES[class_id])
        if fixed and rng.random() < CONFOUNDED:
            return fixed
    return SURROUNDINGS[rng.integers(len(SURROUNDINGS))]


def _noise(rng: np.random.Generator, height: int, width: int, cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise, about -1..1, float64 [h, w]: `cells` random values (down, across) enlarged bicubically."""
    coarse = Image.fromarray(rng.normal(0, 0.5, cells).astype(np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float64)


def _ground(rng: np.random.Generator, kind: str, height: int, width: int) -> np.ndarray:
    """Background of one kind, float64 [h, w, 3]: two near colours mixed by noise whose grain tells the kind."""
    grain = {"grass": (32, 40), "sand": (40, 40), "water": (24, 5), "sky": (4, 3), "gravel": (26, 26)}[kind]
    mix = 0.5 + 0.45 * _noise(rng, height, width, grain) + 0.35 * _noise(rng, height, width, (3, 3))
    light, dark = (np.array(colour, np.float64) + rng.uniform(-12, 12) for colour in _COLOURS[kind])
    return dark + np.clip(mix, 0, 1)[..., None] * (light - dark)


def _place(
    rng: np.random.Generator, classes: list[int], height: int, width: int, side: int, ground: np.ndarray
) -> list[Creature]:
    """Positions, sizes and colours: none depends on the class; neighbours may touch but hardly hide each other."""
    placed: list[Creature] = []
    things = max(1, sum(class_id > 0 for class_id in classes))
    top = {1: 0.50, 2: 0.50, 3: 0.44}.get(things, 0.36)
    for class_id in classes:
        best, best_gap = None, -math.inf
        for _ in range(40):
            length = side * (rng.uniform(0.8 * top, top) if class_id else rng.uniform(0.18, 0.32))
            thickness = length * rng.uniform(0.54, 0.68)
            angle = rng.uniform(-0.6, 0.6) + math.pi * rng.integers(2)
            reach = (length + thickness) / 2 if class_id else length / 2  # the head must not leave the picture
            tail, tip = sorted((-0.4 * length * math.cos(angle), reach * math.cos(angle)))
            margin = reach * abs(math.sin(angle)) * 0.8 + 0.4 * thickness
            creature = Creature(
                class_id=class_id,
                x=rng.uniform(min(-tail, width - tip), max(-tail, width - tip)),
                y=rng.uniform(min(margin, height / 2), max(height - margin, height / 2)),
                length=length,
                width=thickness,
                angle=angle,
                colour=_body_colour(rng, ground),
                taper=rng.uniform(0.0, 0.3),
            )
            gap = min((_gap(creature, other) for other in placed), default=0.0)
            if gap > best_gap:
                best, best_gap = creature, gap
            if gap >= 0:
                break
        placed.append(best)
    return placed


def _gap(a: Creature, b: Creature) -> float:
    """Room between two creatures in pixels, negative where they overlap (each taken as three discs along its body)."""
    discs_a, discs_b = _discs(a), _discs(b)
    return min(math.hypot(p[0] - q[0], p[1] - q[1]) - p[2] - q[2] for p in discs_a for q in discs_b)


def _discs(creature: Creature) -> list[tuple[float, float, float]]:
    radius = 0.6 * creature.width
    cos, sin = math.cos(creature.angle), math.sin(creature.angle)
    steps = (-0.3, 0.1, 0.55) if creature.class_id else (-0.3, 0.0, 0.3)
    return [(creature.x + t * creature.length * cos, creature.y + t * creature.length * sin, radius) for t in steps]


def _body_colour(rng: np.random.Generator, ground: np.ndarray) -> tuple[int, int, int]:
    """A colour far from the mean of the ground (so that the edge is visible), whatever the class."""
    while True:
        colour = rng.integers(45, 215, 3)
        if np.abs(colour - ground).sum() > 110 and np.ptp(colour) > 25:
            return tuple(int(value) for value in colour)


def _draw(canvas: np.ndarray, rng: np.random.Generator, creature: Creature) -> tuple[np.ndarray, np.ndarray]:
    """Paint a creature on the canvas, in place; return what it and its head cover, both float64 [h, w], 0..1."""
    height, width = canvas.shape[:2]
    size = (width * _SCALE, height * _SCALE)
    paint, body, head = Image.new("RGB", size), Image.new("L", size), Image.new("L", size)
    _Pen(creature, ImageDraw.Draw(body)).body(255)
    _Pen(creature, ImageDraw.Draw(paint)).body(creature.colour)
    for kind, points, thickness, colour in HEADS.get(CLASSES[creature.class_id], []):
        _Pen(creature, ImageDraw.Draw(head)).part(kind, points, thickness, 255)
        _Pen(creature, ImageDraw.Draw(paint)).part(kind, points, thickness, colour or creature.colour)
    whole = np.maximum(np.asarray(body), np.asarray(head))
    alpha, telling = _reduce(Image.fromarray(whole)) / 255, _reduce(head) / 255
    # premultiplied: the paint outside the creature is black, so dividing by alpha gives its own colour at the rim
    colour = _reduce(paint) / np.maximum(alpha, 1 / 255)[..., None]
    texture = 5 * _noise(rng, height, width, (6, 6)) + 4 * _noise(rng, height, width, (48, 48))
    rim = 0.72 + 0.28 * _inner(alpha)
    colour = (colour + texture[..., None]) * rim[..., None]
    canvas[...] = canvas * (1 - alpha[..., None]) + colour * alpha[..., None]
    return alpha, telling


def _reduce(drawn: Image.Image) -> np.ndarray:
    """Mean over _SCALE x _SCALE drawn pixels, float64."""
    return np.asarray(drawn.reduce(_SCALE), np.float64)


def _inner(alpha: np.ndarray) -> np.ndarray:
    """1 inside, falling to 0 on the last pixel before the outline: the dark rim that makes edges visible."""
    image = Image.fromarray((alpha * 255).astype(np.uint8)).filter(ImageFilter.MinFilter(3))
    return np.asarray(image) / 255.0


def _box(region: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    if not rows.size:
        return (0, 0, 0, 0)
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


class _Pen:
    """Draws in the coordinates of a creature: x along its body, upright heads stay upright whichever way it looks."""

    def __init__(self, creature: Creature, draw: ImageDraw.ImageDraw) -> None:
        self.creature, self.draw = creature, draw
        self.unit = creature.width / 2

    def _to_canvas(self, along: float, across: float) -> Point:
        cos, sin = math.cos(self.creature.angle), math.sin(self.creature.angle)
        across = across if cos >= 0 else -across
        x = self.creature.x + along * cos - across * sin
        y = self.creature.y + along * sin + across * cos
        return x * _SCALE, y * _SCALE

    def body(self, colour: int | tuple[int, int, int]) -> None:
        """A rounded, slightly tapered oblong: a super-ellipse."""
        outline = []
        for t in np.linspace(0, 2 * math.pi, 120, endpoint=False):
            cos, sin = math.cos(t), math.sin(t)
            along = math.copysign(abs(cos) ** 0.8, cos)
            across = math.copysign(abs(sin) ** 0.8, sin) * (1 - self.creature.taper * (1 + along) / 2)
            outline.append(self._to_canvas(along * self.creature.length / 2, across * self.unit))
        self.draw.polygon(outline, fill=colour)

    def part(self, kind: str, points: list[Point], thickness: float, colour: int | tuple[int, int, int]) -> None:
        """One stroke of a head."""
        unit = _HEAD * self.unit
        origin = self.creature.length / 2 - 0.75 * self.unit
        where = [self._to_canvas(origin + x * unit, y * unit) for x, y in points]
        size = max(thickness * unit * _SCALE, _SCALE)
        if kind == "polygon":
            self.draw.polygon(where, fill=colour)
            return
        if kind == "line":
            self.draw.line(where, fill=colour, width=round(size), joint="curve")
            return
        for x, y in where:
            self.draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)


HEADS: dict[str, list[Part]] = {
    "fish": [  # a forked fin with dark rays
        ("polygon", [(-0.15, -0.35), (1.05, -0.85), (0.8, 0.0), (1.05, 0.85), (-0.15, 0.35)], 0, None),
        ("line", [(-0.15, -0.3), (0.9, -0.68)], 0.12, _BLACK),
        ("line", [(-0.15, 0.0), (0.76, 0.0)], 0.12, _BLACK),
        ("line", [(-0.15, 0.3), (0.9, 0.68)], 0.12, _BLACK),
    ],
    "snail": [  # two feelers with eyes
        ("line", [(-0.1, -0.3), (0.5, -0.75)], 0.26, None),
        ("line", [(0.0, 0.05), (0.75, 0.05)], 0.26, None),
        ("disc", [(0.5, -0.75), (0.75, 0.05)], 0.34, _WHITE),
        ("disc", [(0.5, -0.75), (0.75, 0.05)], 0.15, _BLACK),
    ],
    "bee": [  # yellow and black rings, and a sting
        ("polygon", [(-0.2, -0.6), (0.02, -0.6), (0.02, 0.6), (-0.2, 0.6)], 0, _YELLOW),
        ("polygon", [(0.02, -0.6), (0.24, -0.5), (0.24, 0.5), (0.02, 0.6)], 0, _BLACK),
        ("polygon", [(0.24, -0.5), (0.46, -0.38), (0.46, 0.38), (0.24, 0.5)], 0, _YELLOW),
        ("polygon", [(0.46, -0.3), (0.95, 0.0), (0.46, 0.3)], 0, _BLACK),
    ],
    "bird": [  # a round eye and an orange beak
        ("polygon", [(0.2, -0.42), (1.1, 0.05), (0.2, 0.42)], 0, _ORANGE),
        ("disc", [(-0.02, -0.22)], 0.34, _WHITE),
        ("disc", [(0.04, -0.22)], 0.17, _BLACK),
    ],
    "squid": [  # five arms with pale suckers at their roots
        ("line", [(0.1, -0.4), (0.6, -0.8), (0.95, -0.85)], 0.20, None),
        ("line", [(0.1, -0.2), (1.05, -0.42)], 0.20, None),
        ("line", [(0.1, 0.0), (1.15, 0.0)], 0.20, None),
        ("line", [(0.1, 0.2), (1.05, 0.42)], 0.20, None),
        ("line", [(0.1, 0.4), (0.6, 0.8), (0.95, 0.85)], 0.20, None),
        ("disc", [(0.1, -0.44), (0.2, -0.15), (0.2, 0.15), (0.1, 0.44)], 0.12, _WHITE),
    ],
    "boat": [  # a white sail with a red stripe
        ("polygon", [(-0.45, 0.1), (-0.05, -1.3), (0.65, 0.1)], 0, _WHITE),
        ("polygon", [(-0.33, -0.32), (-0.19, -0.8), (0.2, -0.8), (0.44, -0.32)], 0, _RED),
        ("line", [(-0.05, -1.35), (-0.05, 0.2)], 0.12, _BLACK),
    ],
}
