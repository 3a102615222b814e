"""Windows that slide over the places of the source, for convolutions and pools."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal as Lit
from typing import TypeAlias

from blurc.model.topology.topology import End, Misfit, Shape, Topology, dims

Padding: TypeAlias = Lit["same", "valid"]


@dataclass(frozen=True)
class Windows(Topology):
    """Populations are `[*places, channels]`, or `[*places]` with one channel, with as many place axes as the window.
    Where a window extends past the end of the source, it has no sites."""

    keywords = ("stride", "padding")

    window: Shape
    stride: Shape
    padding: Padding

    def places(self, shape: Shape) -> Shape:
        return shape[: len(self.window)]

    def channels(self, shape: Shape) -> int:
        """The number of values at each place."""
        return math.prod(shape[len(self.window) :])

    def out(self, places: Shape) -> Shape:
        """The places of the target, given those of the source."""
        each = zip(places, self.window, self.stride, strict=True)
        if self.padding == "same":
            return tuple(-(-n // s) for n, _, s in each)
        return tuple((n - w) // s + 1 for n, w, s in each)

    def pads(self, places: Shape) -> tuple[tuple[int, int], ...]:
        """How far the first and last windows extend past the ends of each axis."""
        if self.padding == "valid":
            return tuple((0, 0) for _ in places)
        each = zip(places, self.out(places), self.window, self.stride, strict=True)
        total = [max((o - 1) * s + w - n, 0) for n, o, w, s in each]
        return tuple((t // 2, t - t // 2) for t in total)

    def idles(self, source: Shape) -> bool:
        places = self.places(source)
        along = zip(places, self.out(places), self.window, self.stride, self.pads(places), strict=True)
        return any(not _acts(k - before, n, o, s) for n, o, w, s, (before, _) in along for k in range(w))

    def misfit(self, written: str, source: End, target: End) -> Misfit | None:
        return self._misfit_of_source(written, source) or self._misfit_of_target(written, source, target)

    def _misfit_of_source(self, written: str, source: End) -> Misfit | None:
        axes = len(self.window)
        if len(source.shape) not in (axes, axes + 1):
            return Misfit(
                f"`{written}` takes {_axes(axes)} of places and at most one of channels, but `{source.name}` is "
                f"{dims(source.shape)}",
                self._help_with_axes(len(source.shape) - 1)
                if 1 <= len(source.shape) - 1 <= 3
                else source.declare((*(8 for _ in self.window), source.size)),
            )
        places = self.places(source.shape)
        larger = any(w > n for w, n in zip(self.window, places, strict=True))
        if self.padding == "valid" and larger:
            return Misfit(
                f"the window {dims(self.window)} of `{written}` is larger than the places {dims(places)} of "
                f"`{source.name}`",
                "make it smaller, or write `padding = same`",
            )
        return None

    def _help_with_axes(self, axes: int) -> str:
        return f"give the window one size per axis of places: {', '.join([str(self.window[0])] * axes)}"

    def _misfit_of_target(self, written: str, source: End, target: End) -> Misfit | None:
        axes = len(self.window)
        places = self.out(self.places(source.shape))
        has_places = len(target.shape) in (axes, axes + 1)
        found = self.channels(target.shape) if has_places else 8
        wanted = self.channels_out(source.shape) or found
        plain = len(target.shape) == axes and wanted == 1
        right = target.declare(places if plain else (*places, wanted))
        made = f"`{written}` makes {dims(places)} places of {dims(self.places(source.shape))}"
        if not has_places:
            is_image = len(target.shape) == len(source.shape) + 1 <= 4  # all axes of the source are meant as places
            help = self._help_with_axes(len(source.shape)) if is_image else right
            return Misfit(f"{made}, but `{target.name}` is {dims(target.shape)}", help)
        if self.places(target.shape) != places:
            return Misfit(f"{made}, but `{target.name}` has {dims(self.places(target.shape))}", right)
        if found != wanted:
            message = f"a pool keeps the channels: `{source.name}` has {wanted}, but `{target.name}` has {found}"
            return Misfit(message, right)
        return None

    def channels_out(self, pre: Shape) -> int | None:
        """The number of channels the target must have; None if any will do."""
        return None

    def _window_caption(self, usual_stride: Shape) -> str:
        stride = "" if self.stride == usual_stride else f" / {'×'.join(map(str, dict.fromkeys(self.stride)))}"
        return "×".join(map(str, self.window)) + stride

    def _written(self, *first: str) -> str:
        stride = self.stride[0] if len(set(self.stride)) == 1 else list(self.stride)
        args = [*first, *map(str, self.window), f"stride = {stride}", f"padding = {self.padding}"]
        return f"{self.name}({', '.join(args)})"


def _acts(first: int, places: int, windows: int, stride: int) -> bool:
    """Whether a place of the window, which is at `first` in the first window, is inside the source in any window."""
    passed = max(0, -(first // stride))
    return passed < windows and first + passed * stride < places


def _axes(count: int) -> str:
    return f"{count} {'axis' if count == 1 else 'axes'}"
