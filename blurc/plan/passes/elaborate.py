"""Elaboration: writes out the equations of every visit as flat operations.

    before   forward of h:  act <- phi(incoming(w * pre.act))
    after    %3 = synapse {x->h, w}
             %4 = to_post %3 %2 {x->h}
             %5 = tanh %4

States and channels become versions of values (single assignment). Equal operations are shared, so what two populations
or two equations have in common is computed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from blurc import model as m
from blurc.model import Model, Total, Until, rebuild
from blurc.plan.passes.expressions import Known
from blurc.plan.passes.schedule import Schedule, Visit
from blurc.plan.passes.scopes import NeuronScope, SynapseScope
from blurc.plan.passes.versions import Versions
from blurc.plan.plan import Block, Key, Result, Space, Type


@dataclass
class Elaborator:
    """Takes the visits in order; each makes new versions of what it assigns."""

    now: Versions
    results: list[Result] = field(default_factory=list[Result])

    def visit(self, visit: Visit) -> None:
        if visit.phase.kind == "update":
            self._update(visit.phase)
            return
        for population in visit.populations:
            self._neurons(visit.phase, population)

    def _neurons(self, phase: m.Phase, population: str) -> None:
        scope = NeuronScope(self.now, population, phase=phase.name)
        for s in self.now.model.statements(phase, population):
            value = scope.value(s.value)
            if isinstance(s, m.LetStatement):
                scope.lets[s.name] = value
            else:
                key = (population, s.name)
                self.now.states[key] = self._assign(self.now.states[key], s, value, Space("neurons", population))

    def _assign(self, old: int, s: m.Assign, value: int, space: Space) -> int:
        """The whole variable after `name[items] <- value`."""
        b = self.now.builder
        whole = b.type(old).dims
        if s.items:
            return b.emit("put", (old, value), (s.items,), Type(whole, b.space(old, value)), s.span)
        found = b.type(value)
        if found.dims == whole and found.space.kind != "everywhere":
            return value
        kept = found.space if found.space.kind != "everywhere" else space
        return b.emit("spread", (value,), (), Type(whole, kept), s.span)

    def _update(self, phase: m.Phase) -> None:
        """All plastic projections at once: each reads the synapses from the beginning of the phase. If several have the
        same synapses, their changes add up."""
        old, projections = self.now.synapses, self.now.model.network.projections
        new: dict[tuple[str, str], int] = {}
        for projection in projections:
            for channel, value in self._updated(phase, projection).items() if projection.plastic else ():
                key = projection.keeper, channel
                new[key] = self._changed_again(new[key], old[key], value) if key in new else value
        whose = {p.name: p.keeper for p in projections}
        self.now.synapses = {(name, c): new.get((whose[name], c), value) for (name, c), value in old.items()}

    def _changed_again(self, new: int, old: int, value: int) -> int:
        """`new`, changed as `value` changes `old`: new + (value - old). Without rounding twice where `value` is written
        as `old + x` or `old - x`."""
        b, op = self.now.builder, self.now.builder.ops[value]
        if op.name in ("add", "sub") and op.args[0] == old:
            return b.elementwise(op.name, (new, op.args[1]), op.span)
        change = b.elementwise("sub", (value, old), op.span)
        return b.elementwise("add", (new, change), op.span)

    def _updated(self, phase: m.Phase, projection: m.Projection) -> dict[str, int]:
        """The channels that change, by name."""
        current = {c.name: self.now.synapses[projection.name, c.name] for c in self.now.model.genome.channels}
        lets: dict[str, m.Expr] = {}
        changed: dict[str, int] = {}
        scope = SynapseScope(self.now, projection, phase.name)
        for s in phase.of(projection.kind):
            resolved = self._resolve(s.value, current, lets)
            if isinstance(s, m.LetStatement):
                lets[s.name] = resolved
                continue
            each = self.now.model.genome.channel(s.name).per_example
            value = scope.sites.of_examples(resolved) if each else scope.value(resolved)
            space = Space("examples" if each else "synapses", projection.keeper)
            current[s.name] = self._assign(current[s.name], s, value, space)
            changed[s.name] = current[s.name]
        return changed

    def _resolve(self, e: m.Expr, current: Mapping[str, int], lets: Mapping[str, m.Expr]) -> m.Expr:
        """Replaces channels by the versions that this statement sees. Totals keep their names: they read the synapses
        from the beginning of the phase."""

        def substitute(x: m.Expr) -> m.Expr | None:
            match x:
                case m.Let(name=name):
                    return lets[name]
                case m.Channel(name=name):
                    return Known(current[name], shape=x.shape, over=x.over, span=x.span)  # pyright: ignore[reportReturnType]
                case Total() | Until():
                    return x
                case _:
                    return None

        return rebuild(e, substitute)

    def readout(self) -> None:
        for p in self.now.model.network.with_role("output"):
            value = NeuronScope(self.now, p.name).value(self.now.model.genome.readout)
            self.result(("readout", p.name), self.fill(value, (), "neurons", p.name))

    def result(self, key: Key, value: int) -> None:
        self.results.append(Result(key, value))

    def fill(self, value: int, dims: m.Shape, kind: str, of: str) -> int:
        """Stretches a result over all axes. Emitted even if it does nothing yet: simplification may remove axes."""
        b = self.now.builder
        return b.emit("fill", (value,), (), Type(dims, Space(kind, of, True, True)), b.ops[value].span)

    def fill_state(self, population: str, state: m.StateVar, steps: int = 0) -> int:
        return self.fill(self.now.before(population, state, steps), state.shape, "neurons", population)

    def new_synapses(self) -> None:
        genome, network = self.now.model.genome, self.now.model.network
        for p in network.projections:
            for channel in genome.channels if p.has_arrays else ():
                value = self.now.synapses[p.name, channel.name]
                kind, space = ("example", "examples") if channel.per_example else ("synapse", "synapses")
                full = self.fill(value, channel.shape, space, p.name)
                self.result((kind, p.name, channel.name), full)

    def new_states(self) -> None:
        """What the neurons carry to the next step."""
        for population in self.now.model.network.populations:
            for state in self.now.model.genome.states:
                if state.persistent and population.role != "unit":
                    self.result(("carried", population.name, state.name), self.fill_state(population.name, state))
        self.history()

    def history(self) -> None:
        """Shifts the states of this step into those of one step ago, and so on. Known inefficiency: a long delay keeps
        that many arrays and copies each of them every step, where a ring buffer would write one."""
        for population, steps in remembered(self.now.model).items():
            for state in self.now.model.genome.states:
                for d in range(steps):
                    key = ("carried", population, f"{state.name}@{d + 1}")
                    self.result(key, self.fill_state(population, state, d))

    def note_states(self, visit: Visit) -> None:
        """Records what a visit assigned, so that liveness can name the states that nobody reads."""
        for population in visit.populations:
            statements = self.now.model.statements(visit.phase, population)
            for name in dict.fromkeys(s.name for s in statements if isinstance(s, m.Assign)):
                self.result(("state", visit.phase.name, population, name), self.now.states[population, name])

    def states_after(self, visit: Visit) -> Iterator[tuple[Key, int, m.StateVar]]:
        """Every state of every neuron, for `trace`."""
        for population in self.now.model.network.populations:
            for state in self.now.model.genome.states if population.role != "unit" else ():
                key = ("trace", visit.phase.name, population.name, state.name)
                yield key, self.now.states[population.name, state.name], state

    def new_statistics(self) -> None:
        b = self.now.builder
        for (population, name), value in self.now.statistics.items():
            whole = Type(b.type(value).dims, Space("neurons", population, False, True))
            self.result(("statistic", population, name), b.emit("fill", (value,), (), whole, b.ops[value].span))

    def block(self) -> Block:
        return Block(tuple(self.now.builder.ops), tuple(self.results))


def elaborate(model: Model, schedule: Schedule) -> tuple[Block, Block, Block]:
    """The blocks of step, predict and run; the last is empty where nothing is carried. Among the results of the first
    are those of `trace`, which runs the same visits."""
    carries = bool(remembered(model)) or any(state.persistent for state in model.genome.states)
    run = _run(model, schedule) if carries else Block((), ())
    return _step(model, schedule), _predict(model, schedule), run


def _step(model: Model, schedule: Schedule) -> Block:
    e = Elaborator(Versions(model))
    traced: list[tuple[Key, int, m.StateVar]] = []
    for i, visit in enumerate(schedule.visits):
        if i == schedule.readout:
            e.readout()
        e.visit(visit)
        e.note_states(visit)
        traced += e.states_after(visit)
    if schedule.readout == len(schedule.visits):
        e.readout()
    e.new_synapses()
    e.new_states()
    e.new_statistics()
    for key, value, state in traced:
        e.result(key, e.fill(value, state.shape, "neurons", key[2]))
    return e.block()


def remembered(model: Model) -> dict[str, int]:
    """Populations whose states delayed projections read, and for how many steps they are kept: the source, and also the
    target if feedback comes back."""
    steps: dict[str, int] = {}
    for p in model.network.projections:
        for population in (p.source, p.target) if p.feedback else (p.source,):
            if p.delay and population != m.UNIT:
                steps[population] = max(p.delay, steps.get(population, 0))
    return steps


def _predict(model: Model, schedule: Schedule) -> Block:
    return _asked(model, schedule).block()


def _run(model: Model, schedule: Schedule) -> Block:
    e = _asked(model, schedule)
    e.new_states()
    return e.block()


def _asked(model: Model, schedule: Schedule) -> Elaborator:
    """After `sense` and `forward`, with the readout."""
    e = Elaborator(Versions(model, learns=False))
    for visit in schedule.prediction:
        e.visit(visit)
    e.readout()
    return e
