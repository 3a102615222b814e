"""What the operations of a block cost: arithmetic, what moves through memory, and what is in memory at once.

XLA fuses elementwise operations, so what passes through memory are the values at the ends of fusions: results, what
products over synapses read and write, and functions such as tanh that several others read. Nothing in between is
written. Compared with XLA's own figures in tests/plan/test_cost.py.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from blurc.language import functions
from blurc.model import FLOAT, Conv
from blurc.plan.plan import EACH, LEAVES, Block, Factors, Op, Plan, Type, loop_of

PRODUCTS = {"to_post", "to_pre", "outer"}
WHOLE = {
    "softmax",
    "standardize",
    "batch_mean",
    "batch_sum",
    *functions.WHOLE,
    *functions.PLACES,
    *functions.PROJECTION,
}
ENDS = {
    *PRODUCTS,
    *WHOLE,
    "outer_until",
    "until",
    "matmul",
    "loop",
    "sites_to_post",
    "sites_to_pre",
    "sites_to_synapse",
}
FREE = {"pick", "spread", "element", "join", "final", "stacked", "carry", "each", "same", *LEAVES}  # no arithmetic
SLOW = {"tanh", "sigmoid", "softplus", "exp", "log", "sin", "cos", "erf", "gelu", "pow", "sqrt"}  # not computed twice
# Operations whose derivative is the same whatever their arguments are, and those whose derivative reads these.
LINEAR = {
    "add", "sub", "neg", "linear", "put", "stack", "fill", "batch_mean", "batch_sum", "population_sum", "at_pre",
    "population_mean", "place_mean", "place_sum", "projection_sum", "projection_mean", "at_post", "at_sites",
    "over_places", *FREE,
}  # fmt: skip
BILINEAR = {
    "mul", "div", "pow", "matmul", "max", "min", "where", "clip", "until", "outer_until", "sites_to_post",
    "sites_to_pre", "sites_to_synapse", *PRODUCTS,
}  # fmt: skip
BY_ERF = {"gelu", "erf"}  # what they share with their slopes XLA writes on CPUs, and keeps until the slope is read:
PIECES = 5  # so many values
AHEAD = 256  # operations among which a scheduler chooses


@dataclass(frozen=True)
class Share:
    """What a projection, a population, or everything else ("") takes of a step.

    Attributes:
        of: its name.
        flops: additions and multiplications, of which a product over synapses has two for each synapse and example.
        moved: bytes that are read and written.
    """

    of: str
    flops: int
    moved: int


@dataclass(frozen=True)
class Counted:
    """A block for a batch. The `ends` are the operations whose values are written to memory, `sources` for each
    operation the values in memory that it is computed from."""

    plan: Plan
    block: Block
    batch: int

    @cached_property
    def parts(self) -> tuple[Share, ...]:
        flops, moved = Counter[str](), Counter[str]()
        for op in self.block.ops:
            if op.name != "loop":
                flops[self._owner(op)] += self._flops(op)
            for part in self._body(op).parts if op.name == "loop" else ():
                flops[part.of] += loop_of(op).count * part.flops
                moved[part.of] += loop_of(op).count * part.moved
        sources = self._sources(self.ends)
        for i in self.ends:
            if self.block.ops[i].name != "loop":
                moved[self._owner(self.block.ops[i])] += sum(map(self._bytes, (i, *sources[i])))
        return tuple(Share(of, flops[of], moved[of]) for of in flops | moved)

    def _body(self, op: Op) -> Counted:
        return Counted(self.plan, loop_of(op).body, self.batch)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        ops, results = self.block.ops, {r.value for r in self.block.results}
        readers: list[list[str]] = [[] for _ in ops]
        for op in ops:
            for a in op.args:
                readers[a].append(op.name)

        def is_end(i: int, op: Op) -> bool:
            if op.name in ENDS or i in results or not PRODUCTS.isdisjoint(readers[i]):
                return True
            return op.name in SLOW and len(readers[i]) > 1

        return tuple(i for i, op in enumerate(ops) if op.name not in LEAVES and is_end(i, op))

    def _sources(self, ends: Iterable[int]) -> list[set[int]]:
        written, found = set(ends), list[set[int]]()
        for op in self.block.ops:
            mine = set[int]()
            for a in op.args:
                leaf = self.block.ops[a].name
                mine |= {a} if a in written or (leaf in LEAVES and leaf != "literal") else found[a]
            found.append(mine)
        return found

    # ----------------------------------------------------------------- memory

    @property
    def working(self) -> int:
        """What values need besides the memory of results, which they also use until these are written.

        As XLA's schedulers do, whatever is ready and frees most comes next. A value that is computed number by number
        takes the memory of one that it is computed from, if nothing reads that any more.
        """
        ops, results = self.block.ops, {r.value for r in self.block.results}
        ends = [i for i in self.ends if i in results or not self._is_shifted(ops[i])]
        sources = self._sources(ends)
        sizes = {i: self._bytes(i) * (1 + PIECES * (i in self._in_pieces)) for i in ends}
        needs = {i: {s for s in sources[i] if s in sizes} for i in ends}
        readers = Counter(s for i in ends for s in needs[i])
        done, left, total, most = set[int](), ends, 0, 0

        def dying(i: int) -> list[int]:
            return [s for s in needs[i] if readers[s] == 1 and s not in results]

        while left:
            ready = (i for i in left[:AHEAD] if needs[i] <= done)
            i = min(ready, key=lambda i: (sizes[i] - sum(sizes[s] for s in dying(i)), i))
            freed = dying(i)
            reused = ops[i].name not in ENDS and any(self._bytes(s) == self._bytes(i) for s in freed)
            most = max(most, total + self._scratch(ops[i]) + (0 if reused else sizes[i]))
            unread = i not in results and not readers[i]
            total += (0 if unread else sizes[i]) - sum(sizes[s] for s in freed)
            readers.subtract(needs[i])
            done.add(i)
            left.remove(i)
        return max(0, most - sum(sizes.get(i, 0) for i in results))

    @cached_property
    def _in_pieces(self) -> set[int]:
        """Values in memory that erf and its slope are computed from, number by number."""
        sources, ops = self._sources(self.ends), self.block.ops
        found = ((i, s) for i, op in enumerate(ops) if op.name in BY_ERF and op.attrs for s in sources[i])
        return {s for i, s in found if self._bytes(s) == self._bytes(i) and ops[s].name not in LEAVES}

    @property
    def residuals(self) -> int:
        """Bytes that the derivative of each operation reads, each value once."""
        ops, kept, own = self.block.ops, set[int](), 0
        for i, op in enumerate(ops):
            if op.name == "loop":
                own += loop_of(op).count * self._body(op).residuals
            elif op.name in BILINEAR:
                kept |= {a for a in op.args if ops[a].name != "literal"}
            elif op.name not in LINEAR:
                own += self._bytes(i) * (2 if op.name in WHOLE else 1)
        return own + sum(map(self._bytes, kept))

    def _scratch(self, op: Op) -> int:
        """What an operation makes for itself: the body of a loop its values, a masked projection its matrix, and a
        convolution the copies that it turns."""
        if op.name == "loop":
            return self._body(op).working
        if op.name not in PRODUCTS:
            return 0
        p = self.plan.projection(str(op.attrs[0]))
        if p.form == "masked":
            return FLOAT * p.n_pre * p.n_post
        turns = isinstance(p.topology, Conv) and op.name == "outer"
        return sum(map(self._bytes, op.args)) if turns else 0

    def _is_shifted(self, op: Op) -> bool:
        """On CPUs a convolution of one channel is a sum over shifted arrays, and fuses with what reads it."""
        if op.name != "to_post":
            return False
        p = self.plan.projection(str(op.attrs[0]))
        return isinstance(p.topology, Conv) and p.topology.channels(p.pre) == 1

    # ------------------------------------------------------------------ sizes

    def _owner(self, op: Op) -> str:
        return str(op.attrs[0]) if op.name in PRODUCTS else op.type.space.of

    def _bytes(self, i: int) -> int:
        """What is written of a value; one number for each channel, if it is the same at all places."""
        op = self.block.ops[i]
        size = FLOAT * self._size(op.type)
        return size // int(str(op.attrs[0])) if op.name in functions.PLACES and op.type.space.second else size

    def _size(self, t: Type) -> int:
        space, dims = t.space, math.prod(t.dims)
        if space.kind == "everywhere":
            return dims
        if space.kind == "neurons":
            return dims * (self.batch if space.first else 1) * (self._neurons(space.of) if space.second else 1)
        a, b = self.plan.projection(space.of).axes
        examples = self.batch if space.kind in EACH else 1
        return dims * examples * (a if space.first else 1) * (b if space.second else 1)

    def _neurons(self, population: str) -> int:
        return self.plan.population(population).given

    # ------------------------------------------------------------- arithmetic

    def _flops(self, op: Op) -> int:
        size = self._size(op.type)
        if op.name in FREE:
            return 0
        if op.name in PRODUCTS:
            return self._product(op)
        if op.name == "matmul":
            return 2 * size * self.block.ops[op.args[0]].type.dims[-1]
        if op.name in WHOLE:
            return max(size, self._size(self.block.ops[op.args[0]].type))
        return size

    def _product(self, op: Op) -> int:
        p = self.plan.projection(str(op.attrs[0]))
        pairs = p.n_pre * p.n_post if p.form == "masked" else round(p.fans[0] * p.n_post)
        args, dims = [self.block.ops[a].type for a in op.args], math.prod(op.type.dims)
        batch = self.batch if any(a.space.first for a in args if a.space.kind == "neurons") else 1
        has = op.attrs[1]
        if self.plan.population(p.source).ids:  # rows are looked up, or added to
            pairs = p.n_post
        if not isinstance(has, Factors):  # an outer product
            return 2 * batch * pairs * dims
        if not has.synapse:
            return max(map(self._size, args), default=0)
        inner = args[0].dims[-1] if has.mixes else 1
        return 2 * batch * pairs * dims * inner if has.neuron else pairs * dims
