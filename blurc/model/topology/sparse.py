"""`sparse(p = 0.1)`, `sparse(fan_in = 10)`: a random choice of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blurc.model.topology.form import Form, argument, too_large
from blurc.model.topology.topology import End, Listed, Misfit, Shape, Topology

MOST_DRAWN = 2**26  # pairs: 3 GB while they are drawn and sorted


@dataclass(frozen=True)
class Sparse(Topology):
    """Every pair with probability `p`, or `fan_in` distinct presynaptic neurons per postsynaptic one, drawn from
    `seed`. `form`: how to compute it, if the user chooses.

    Sites are sorted by postsynaptic, then presynaptic neuron; site i is synapse i.
    """

    name = "sparse"
    example = "sparse(p = 0.1)"
    keywords = ("p", "fan_in", "seed", "form")

    p: float | None
    fan_in: int | None
    seed: int = 0
    form: Form | None = None

    def fans(self, pre: Shape, post: Shape) -> tuple[float, float]:
        """Expected sizes."""
        if self.fan_in is not None:
            return self.fan_in, self.fan_in * math.prod(post) / math.prod(pre)
        assert self.p is not None
        return self.p * math.prod(pre), self.p * math.prod(post)

    def synapse_shape(self, pre: Shape, post: Shape) -> Shape:
        if self.fan_in is not None:
            return (self.fan_in * math.prod(post),)
        return (len(self.sites(pre, post)[0]),)

    def sites(self, pre: Shape, post: Shape) -> Listed:
        from blurc.model.topology.random_pairs import random_pairs

        return random_pairs(self.p, self.fan_in, self.seed, math.prod(pre), math.prod(post))

    def misfit(self, written: str, source: End, target: End) -> Misfit | None:
        if self.fan_in is None or self.fan_in <= source.size:
            return self._misfit_of_draw(written, source, target) or too_large(self.form, source, target)
        message = f"`fan_in = {self.fan_in}` asks for more neurons than `{source.name}` has: {source.size}"
        return Misfit(message, f"write `fan_in = {source.size}` or less")

    def _misfit_of_draw(self, written: str, source: End, target: End) -> Misfit | None:
        """Unlike those of other kinds, the pairs have to be listed."""
        each = self.fans(source.shape, target.shape)[0]
        if self.fan_in and 2 * self.fan_in > source.size:
            each = source.size  # that many numbers are drawn to choose from
        if each * target.size <= MOST_DRAWN:
            return None
        message = (
            f"`{written}` draws {round(each * target.size):,} pairs of `{source.name}` and `{target.name}`, at most "
            f"{MOST_DRAWN:,}"
        )
        most = MOST_DRAWN // target.size
        help = f"write `fan_in = {most}` or less" if most else f"declare `{target.written}` smaller"
        return Misfit(message, help)

    def caption(self) -> str:
        return f"sparse, {self.fan_in} in" if self.p is None else f"sparse {100 * self.p:.3g} %"

    def __str__(self) -> str:
        what = f"p = {self.p}" if self.p is not None else f"fan_in = {self.fan_in}"
        return f"sparse({what}, seed = {self.seed}{argument(self.form)})"
