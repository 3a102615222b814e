"""One synapse at one of the places where it acts, for one example: what a rule means that reads or assigns a channel
`per example`. Here an array of batch x pre x post is built, so nothing has to be separated.

Whatever one of the two neurons, or the synapse without the example, knows alone is computed there, and then brought to
the sites.
"""

from __future__ import annotations

from dataclasses import dataclass

from blurc import model as m
from blurc.model import Dense, Over, is_reduced
from blurc.plan.passes.expressions import Known, Scope
from blurc.plan.plan import Space, Type

ENDS = Over.PRE | Over.POST | Over.SYNAPSE


@dataclass
class SiteScope(Scope):
    """`pre`, `post` and `synapse` are the scopes of what stands there. In an `update`, what does not vary over the
    batch and belongs to more than one neuron is the same for all places of a synapse."""

    projection: m.Projection
    pre: Scope
    post: Scope
    synapse: Scope
    update: bool

    def value(self, e: m.Expr) -> int:
        ends = e.over & ENDS
        if Over.BUILT not in e.over:
            if ends in (Over.PRE, Over.POST) and not is_reduced(e):
                side = "pre" if ends == Over.PRE else "post"
                return self._here((self.pre if side == "pre" else self.post).value(e), side, e)
            if Over.EXAMPLE not in e.over and (self.update or ends in (Over.SYNAPSE, Over.NOTHING)):
                return self._here(self.synapse.value(e), "synapse", e)
            if ends == Over.NOTHING and not is_reduced(e):
                return self._here(self.post.value(e), "post", e)  # a signal per example
        return super().value(e)

    def leaf(self, e: m.Expr) -> int:
        match e:
            case Known():  # pyright: ignore[reportUnnecessaryComparison]
                return self._here(e.value, "synapse", e)
            case m.Channel(name=name):
                return self._here(self.now.synapses[self.projection.name, name], "synapse", e)
            case m.Constant():
                return self.synapse.leaf(e)
            case m.Until():
                return self._until(e)
            case _:
                raise AssertionError(f"{e.span}: not of a synapse and an example: {e}")

    def _until(self, e: m.Until) -> int:
        total = SiteScope(self.now, self.projection, self.pre, self.post, self.synapse, update=False)
        value = self.everywhere(total.value(e.body), e)
        type_ = Type(self.builder.type(value).dims, self._each)
        return self.builder.emit("until", (value,), (self.projection.name,), type_, e.span)

    def slot(self, name: str, arg: m.Expr) -> str:
        return self.synapse.slot(name, arg)

    # ------------------------------------------------- from the sites to somewhere else

    def total(self, e: m.Total, population: str, gate: int | None) -> int:
        """The sum over the sites of each neuron."""
        name = "sites_to_post" if e.direction == "incoming" else "sites_to_pre"
        value = self.everywhere(self.value(e.body), e)
        args = (value,) if gate is None else (value, gate)
        type_ = Type(self.builder.type(value).dims, Space("neurons", population, True, True))
        return self.builder.emit(name, args, (self.projection.name,), type_, e.span)

    def reduced(self, e: m.Reduce) -> int:
        """Over the batch, and summed over the places where a synapse acts."""
        value = self.everywhere(self.value(e.body), e)
        type_ = Type(self.builder.type(value).dims, Space("synapses", self.projection.keeper, True, True))
        return self.builder.emit("sites_to_synapse", (value,), (self.projection.name, e.kind), type_, e.span)

    def of_examples(self, e: m.Expr) -> int:
        """A value of every synapse and example: the mean over the places where it acts."""
        value = self.everywhere(self.value(e), e)
        type_ = Type(self.builder.type(value).dims, Space("examples", self.projection.keeper, True, True))
        return self.builder.emit("over_places", (value,), (self.projection.name,), type_, e.span)

    # ------------------------------------------------- to the sites

    def everywhere(self, value: int, e: m.Expr) -> int:
        """A value that is the same everywhere, as one of the sites."""
        type_ = self.builder.type(value)
        if type_.space.kind != "everywhere":
            return value
        return self.builder.emit("spread", (value,), (), Type(type_.dims, Space("sites", self.projection.name)), e.span)

    def _here(self, value: int, side: str, e: m.Expr) -> int:
        type_ = self.builder.type(value)
        if type_.space.kind == "everywhere":
            return value
        attrs = (self.projection.name, side, isinstance(self.projection.topology, Dense))
        return self.builder.emit("at_sites", (value,), attrs, Type(type_.dims, self._each), e.span)

    @property
    def _each(self) -> Space:
        return Space("sites", self.projection.name, True, True)
