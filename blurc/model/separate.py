"""Separation: rewrites sums over synapses and batch reductions as sums of products of local factors.

    before   incoming((w + pre.b) * pre.a)
    after    incoming(w * pre.a) + incoming(pre.b * pre.a)

    before   batch_mean((pre.a - w * post.a) * post.a)
    after    batch_mean(pre.a * post.a) - w * batch_mean(post.a * post.a)

A factor is *pure* if it varies over one group only. Inside `incoming`, the groups are the synapse and the presynaptic
neuron; the totals of the neuron that sums are the same for all terms: they are `still` and move out. Inside
`batch_mean`, the groups are the presynaptic and the postsynaptic neuron; anything else that does not vary over the
batch is `still` and moves out. (A value of one neuron always stays inside: a synapse that acts at several places
has several neurons.) Sums are multiplied out; pure factors may be any function. What remains, a non-linear function of
a mixture, would need an array of size batch x pre x post and is refused: `Inseparable`.

What reads a channel `per example` is not separated: that array is built.

Known inefficiency: a matrix times a product that has to be split is expanded row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal as Lit
from typing import TypeAlias

from blurc.model.model import Across, Apply, Direction, Expr, Literal, Over, Pick, Reduce, Stack, Total, Until, walk

Group = Lit["still", "synapse", "pre", "post"]
MOST_TERMS = 4096
MOST_POWER = 8


@dataclass(frozen=True)
class Partial:
    """A running total of a synapse factor times a postsynaptic one, over the synapses of a presynaptic neuron."""

    synapse: Expr | None
    post: Expr | None


@dataclass(frozen=True)
class Product:
    """A product of pure factors, one per group. With `mixes`, the synapse factor is a matrix applied to the factor of
    the other neuron; otherwise the factors combine element by element.

    In a `Total`, `still` is the same for all synapses of the neuron that sums in a projection. In a `Reduce` it does
    not vary over the batch; `pre` and `post` may.
    """

    sign: int = 1
    still: Expr | None = None
    synapse: Expr | None = None
    pre: Expr | None = None
    post: Expr | None = None
    mixes: bool = False
    until: Partial | None = None  # inside a `Reduce`, with no factor `pre`

    def factors(self) -> dict[Group, Expr]:
        named: dict[Group, Expr | None] = {
            "still": self.still,
            "synapse": self.synapse,
            "pre": self.pre,
            "post": self.post,
        }
        return {group: factor for group, factor in named.items() if factor is not None}


@dataclass(frozen=True)
class Terms:
    """A sum of products."""

    products: tuple[Product, ...]


@dataclass(frozen=True)
class Stacked:
    """A vector of separated values."""

    items: tuple[Separated, ...]


@dataclass(frozen=True)
class Mixed:
    """A still matrix applied to a separated value."""

    matrix: Expr
    body: Separated


@dataclass(frozen=True)
class Plus:
    """A sum of separated values of different forms."""

    items: tuple[Separated, ...]


@dataclass(frozen=True)
class Inseparable:
    """`node` is a function of a mixture, and no rule can split it."""

    node: Expr


Separated: TypeAlias = Terms | Stacked | Mixed | Plus


class _Failure(Exception):
    def __init__(self, node: Expr):
        self.node = node


def separate(e: Total | Reduce) -> Separated | Inseparable:
    """Separates the body of a sum. It must not contain `Let`s: inline them first."""
    try:
        return _Separator(IN_TOTAL[e.direction] if isinstance(e, Total) else in_reduce).expand(e.body)
    except _Failure as failure:
        return Inseparable(failure.node)


ENDS = Over.SYNAPSE | Over.PRE | Over.POST
GROUPS: dict[Over, Group] = {Over.NOTHING: "still", Over.SYNAPSE: "synapse", Over.PRE: "pre", Over.POST: "post"}


def in_incoming(e: Expr) -> Group | None:
    """The group of a factor inside `incoming`; None for a mixture."""
    return "still" if e.over & ENDS == Over.POST else _in_total(e)


def in_outgoing(e: Expr) -> Group | None:
    """The group of a factor inside `outgoing`; None for a mixture."""
    return "still" if e.over & ENDS == Over.PRE else _in_total(e)


def _in_total(e: Expr) -> Group | None:
    group = GROUPS.get(e.over & ENDS)
    # A function of a channel and a signal per example is a mixture.
    return None if group == "synapse" and Over.EXAMPLE in e.over else group


def in_reduce(e: Expr) -> Group | None:
    """The group of a factor inside `batch_mean` / `batch_sum`; None for a mixture.

    A factor that contains a reducer (through a `let`) or a `projection_mean` belongs to the synapse, even if it varies
    over one end only. A signal per example goes with the postsynaptic neuron; it might go with the other as well.
    """
    ends = e.over & ENDS
    if ends in (Over.PRE, Over.POST) and not is_reduced(e):
        return GROUPS[ends]
    if Over.EXAMPLE not in e.over:
        return "still"
    return None if ends or is_reduced(e) else "post"


def is_reduced(e: Expr) -> bool:
    """Whether it holds what is the same for all places of a synapse, whatever it varies over."""
    return any(isinstance(x, Reduce | Across) for x in walk(e))


IN_TOTAL: Mapping[Direction, Callable[[Expr], Group | None]] = MappingProxyType(
    {"incoming": in_incoming, "outgoing": in_outgoing}
)


def apply(function: str, a: Expr, b: Expr) -> Expr:
    return Apply(function, (a, b), shape=a.shape or b.shape, over=a.over | b.over, span=a.span)


def pick(e: Expr, items: tuple[int | tuple[int, int], ...]) -> Expr:
    """`e[items]`; a number is returned unchanged, since it broadcasts."""
    if not e.shape or not items:
        return e
    kept = tuple(i[1] - i[0] for i in items if isinstance(i, tuple))
    return Pick(e, items, shape=(*kept, *e.shape[len(items) :]), over=e.over, span=e.span)


@dataclass(frozen=True)
class _Separator:
    group: Callable[[Expr], Group | None]

    def expand(self, e: Expr) -> Separated:
        group = self.group(e)
        if group is not None:
            return Terms((_pure(e, group),))
        match e:
            case Apply(function="neg", args=(a,)):
                return _negate(self.expand(a))
            case Apply(function="linear", args=(a,), prime=False):
                return self.expand(a)
            case Apply(function="add", args=(a, b)):
                return _plus([self.expand(a), self.expand(b)])
            case Apply(function="sub", args=(a, b)):
                return _plus([self.expand(a), _negate(self.expand(b))])
            case Apply(function="mul", args=(a, b)):
                return self._times(self.expand(a), self.expand(b), e)
            case Apply(function="div", args=(a, b)) if self.group(b) is not None:
                return self._times(self.expand(a), self.expand(_reciprocal(b)), e)
            case Apply(function="square", args=(a,), prime=False):
                return self._power(a, 2, e)
            case Apply(function="pow", args=(a, Literal(value=float(n)))) if n == int(n) and 1 <= n <= MOST_POWER:
                return self._power(a, int(n), e)
            case Apply(function="matmul", args=(a, b)):
                return self._matmul(a, b, e)
            case Stack(items=items):
                return Stacked(tuple(self.expand(item) for item in items))
            case Until(body=body):
                return _running(_Separator(in_outgoing).expand(body), e)
            case Pick(arg=arg, items=items):
                return self._pick(self.expand(arg), items, e)
            case _:
                raise _Failure(e)

    def _power(self, base: Expr, n: int, e: Expr) -> Separated:
        once = result = self.expand(base)
        for _ in range(n - 1):
            result = self._times(result, once, e)
        return result

    # ------------------------------------------------------------- products

    def _times(self, a: Separated, b: Separated, e: Expr) -> Separated:
        """The product of two separated values, multiplied out. Failures are reported at `e`."""
        match a, b:
            case Plus(items=items), _:
                return _plus([self._times(item, b, e) for item in items])
            case _, Plus(items=items):
                return _plus([self._times(a, item, e) for item in items])
            case Terms(products=left), Terms(products=right):
                if len(left) * len(right) > MOST_TERMS:
                    raise _Failure(e)
                if any(_runs_into(p, q) or _runs_into(q, p) for p in left for q in right):
                    raise _Failure(e)
                if any(_clash(p, q) or _clash(q, p) for p in left for q in right):
                    return self._by_rows(a, b, e)
                return Terms(tuple(_merge(p, q) for p in left for q in right))
            case _:
                return self._by_rows(a, b, e)

    def _by_rows(self, a: Separated, b: Separated, e: Expr) -> Separated:
        """The product row by row along the first axis, which splits stacks and matrices."""
        rows = range(max(_length(a), _length(b)))
        return Stacked(tuple(self._times(self._pick(a, (i,), e), self._pick(b, (i,), e), e) for i in rows))

    def _matmul(self, a: Expr, b: Expr, e: Expr) -> Separated:
        left, right = self.group(a), self.group(b)
        rows, columns = a.shape
        if not columns:
            return Terms(())
        if left == "still":
            return Mixed(a, self.expand(b))
        if left == "synapse" and right in ("pre", "post"):
            return Terms((replace(_merge(_pure(a, left), _pure(b, right)), mixes=True),))
        if rows * columns > MOST_TERMS:
            raise _Failure(e)
        parts = [self.expand(pick(b, (c,))) for c in range(columns)]
        split = ([self._times(self.expand(pick(a, (r, c))), parts[c], e) for c in range(columns)] for r in range(rows))
        return Stacked(tuple(map(_plus, split)))

    def _pick(self, a: Separated, items: tuple[int | tuple[int, int], ...], e: Expr) -> Separated:
        """The part `items` of a separated value."""
        if not items:
            return a
        match a:
            case Terms(products=products):
                plain = Terms(tuple(_pick_product(p, items) for p in products if not p.mixes))
                return _plus([plain, *(self._pick(_rows(p), items, e) for p in products if p.mixes)])
            case Plus(items=parts):
                return _plus([self._pick(part, items, e) for part in parts])
            case Mixed(matrix=matrix, body=body):
                return self._pick_mixed(matrix, body, items, e)
            case Stacked(items=parts):
                first, rest = items[0], items[1:]
                if isinstance(first, int):
                    return self._pick(parts[first], rest, e)
                return Stacked(tuple(self._pick(part, rest, e) for part in parts[first[0] : first[1]]))

    def _pick_mixed(
        self, matrix: Expr, body: Separated, items: tuple[int | tuple[int, int], ...], e: Expr
    ) -> Separated:
        first, rest = items[0], items[1:]
        if isinstance(first, tuple) and not rest:
            return Mixed(pick(matrix, (first,)), body)
        rows = range(matrix.shape[0])
        return self._pick(Stacked(tuple(self._row(Mixed(matrix, body), r, e) for r in rows)), items, e)

    def _row(self, mixed: Mixed, row: int, e: Expr) -> Separated:
        columns = mixed.matrix.shape[1]
        entries = (Terms((Product(still=pick(mixed.matrix, (row, c))),)) for c in range(columns))
        return _plus([self._times(entry, self._pick(mixed.body, (c,), e), e) for c, entry in enumerate(entries)])


# -------------------------------------------------------------------- products of pure factors


def _pure(e: Expr, group: Group) -> Product:
    return replace(Product(), **{group: e})


def _reciprocal(e: Expr) -> Expr:
    return apply("div", Literal(1.0, shape=(), over=Over.NOTHING, span=e.span), e)


def _both(a: Expr | None, b: Expr | None) -> Expr | None:
    if a is None or b is None:
        return a or b
    # Turn a reciprocal back into a division: one rounding less.
    match b:
        case Apply(function="div", args=(Literal(value=1.0), denominator)):
            return apply("div", a, denominator)
        case _:
            return apply("mul", a, b)


def _merge(p: Product, q: Product) -> Product:
    return Product(
        p.sign * q.sign,
        _both(p.still, q.still),
        _both(p.synapse, q.synapse),
        _both(p.pre, q.pre),
        _both(p.post, q.post),
        p.mixes or q.mixes,
        p.until or q.until,
    )


def _running(body: Separated, e: Expr) -> Terms:
    """The running total of each product, inside a reducer."""
    if not isinstance(body, Terms) or any(p.mixes for p in body.products):
        raise _Failure(e)
    return Terms(tuple(Product(p.sign, p.still, until=Partial(p.synapse, p.post)) for p in body.products))


def _runs_into(p: Product, q: Product) -> bool:
    """Whether `q` cannot join `p`, a running total: the result would have a value per example and synapse."""
    return p.until is not None and (q.until is not None or q.pre is not None)


def _clash(p: Product, q: Product) -> bool:
    """Whether `q` cannot join `p`, whose synapse factor is a matrix. Still factors multiply the result, and numbers any
    factor, but vectors of synapses or neurons would have to scale the matrix's rows or columns."""
    joins_factors = any(factor.shape for group, factor in q.factors().items() if group != "still")
    return p.mixes and (q.mixes or joins_factors)


def _rows(p: Product) -> Stacked:
    """A product that mixes, `W @ x`, row by row: the sum of `W[r, c] * x[c]` over c."""
    matrix, other = p.synapse, p.pre or p.post
    assert matrix is not None
    assert other is not None
    rows, columns = matrix.shape
    return Stacked(tuple(Terms(tuple(_entry(p, r, c) for c in range(columns))) for r in range(rows)))


def _entry(p: Product, r: int, c: int) -> Product:
    return Product(
        p.sign,
        p.still and pick(p.still, (r,)),
        p.synapse and pick(p.synapse, (r, c)),
        p.pre and pick(p.pre, (c,)),
        p.post and pick(p.post, (c,)),
    )


def _pick_product(p: Product, items: tuple[int | tuple[int, int], ...]) -> Product:
    parts = {group: pick(factor, items) for group, factor in p.factors().items()}
    until = p.until and Partial(
        p.until.synapse and pick(p.until.synapse, items), p.until.post and pick(p.until.post, items)
    )
    return replace(p, **parts, until=until)


def _length(a: Separated) -> int:
    """The number of rows; 0 for a number."""
    match a:
        case Terms(products=products):
            return max(map(_product_length, products), default=0)
        case Stacked(items=items):
            return len(items)
        case Mixed(matrix=matrix):
            return matrix.shape[0]
        case Plus(items=items):
            return max(map(_length, items))


def _product_length(p: Product) -> int:
    if p.mixes and p.synapse:
        return p.synapse.shape[0]
    running = (p.until.synapse, p.until.post) if p.until else ()
    shapes = [factor.shape for factor in (*p.factors().values(), *running) if factor is not None]
    return max((shape[0] for shape in shapes if shape), default=0)


def _negate(a: Separated) -> Separated:
    match a:
        case Terms(products=products):
            return Terms(tuple(replace(p, sign=-p.sign) for p in products))
        case Stacked(items=items):
            return Stacked(tuple(map(_negate, items)))
        case Mixed(matrix=matrix, body=body):
            return Mixed(matrix, _negate(body))
        case Plus(items=items):
            return Plus(tuple(map(_negate, items)))


def _plus(items: Iterable[Separated]) -> Separated:
    """The sum, with nested sums flattened and all plain terms collected."""
    flat = [part for item in items for part in (item.items if isinstance(item, Plus) else (item,))]
    terms = Terms(tuple(p for part in flat if isinstance(part, Terms) for p in part.products))
    rest = [part for part in flat if not isinstance(part, Terms)]
    if not rest:
        return terms
    if not terms.products and len(rest) == 1:
        return rest[0]
    return Plus((*([terms] if terms.products else []), *rest))
