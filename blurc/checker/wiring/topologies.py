"""Topologies: `conv(3, 3, stride = 2)` and the like, as they are written. Whether they fit the two populations they say
themselves (`model/topology/`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from blurc.checker.constants import Constants, WrongValue
from blurc.checker.wiring.bodies import Body
from blurc.checker.wording import code, number_text
from blurc.diagnostics import Report, Span, did_you_mean, suggest
from blurc.graph import WrongFile, edges
from blurc.language import syntax
from blurc.model import TOPOLOGIES, Conv, Dense, Edges, End, Form, Padding, Pool, Population, Shape, Sparse, Topology

NAMES = tuple(kind.name for kind in TOPOLOGIES)
FORMS = ("masked", "gather", "segments")
PADDINGS = ("same", "valid")
POOLED_BY = ("avg", "max")
MOST_SEED = 2**32 - 1
MOST_AXES = 3
CERTAIN = 50  # if so many pairs are expected, the chance that none is drawn is below exp(-50)


@dataclass(frozen=True)
class Ends:
    """A projection and its populations, with the names that these have in the body that it stands in."""

    written: tuple[syntax.IndexedName, syntax.IndexedName]
    source: str
    target: str
    pre: Population
    post: Population
    body: Body


def topology(attr: syntax.Attr | None, ends: Ends, numbers: Constants) -> Topology | None:
    """What an attribute says, dense without one. None after a report."""
    if attr is None:
        return Dense()
    written = Written(attr, numbers)
    found = written.read(ends)
    if found is None or written.wrong:
        return None
    source = End(ends.source, code(ends.written[0].span), ends.pre.role, ends.pre.shape)
    target = End(ends.target, code(ends.written[1].span), ends.post.role, ends.post.shape)
    misfit = found.misfit(code(attr.span), source, target)
    if misfit is None:
        if isinstance(found, Sparse):
            _is_drawn_once(found, written, ends)
            if found.p is not None:
                _joins_something(found, found.p, attr, ends, numbers.report)
        return found
    numbers.report.error("E412", misfit.message, attr.span, help=misfit.help)
    return None


def _joins_something(found: Sparse, p: float, attr: syntax.Attr, ends: Ends, report: Report) -> None:
    """Pairs are drawn only where there may be none, as listing them takes time."""
    pairs = ends.pre.size * ends.post.size
    expected = p * pairs
    if expected < CERTAIN and found.synapse_shape(ends.pre.shape, ends.post.shape) == (0,):
        report.warn(
            "W506",
            f"`{code(attr.span)}` joins no neuron of `{ends.source}` with one of `{ends.target}`: of {pairs:,} pairs "
            f"it joins {number_text(float(f'{expected:.2g}'))} on average",
            attr.span,
            help="write `sparse(fan_in = 1)`, which joins every target, or a larger `p`",
        )


def _is_drawn_once(found: Sparse, written: Written, ends: Ends) -> None:
    """Two projections of the same sizes may share a seed only where both say so, or where nothing is left to draw."""
    if found.fans(ends.pre.shape, ends.post.shape)[0] == ends.pre.size:
        return
    draw, drawn = (found.p, found.fan_in, found.seed, ends.pre.size, ends.post.size), ends.body.wiring.drawn
    earlier, was_chosen = drawn.get(draw, ("", True))
    is_chosen = "seed" in written.options
    if earlier and not (is_chosen and was_chosen):
        written.numbers.report.warn(
            "W507",
            f"`{code(written.attr.span)}` joins the same pairs as {earlier}: their sizes and seeds are the same",
            written.attr.span,
            help="give each a number of its own, `seed = 1`",
        )
    drawn[draw] = (f"`{ends.pre.name} -> {ends.post.name}`", is_chosen)


class Written:
    """One attribute and what is wrong with it."""

    def __init__(self, attr: syntax.Attr, numbers: Constants) -> None:
        self.attr = attr
        self.name = attr.name
        self.kind = next(kind for kind in TOPOLOGIES if kind.name == attr.name)
        self.numbers = numbers
        self.wrong = False
        self.options: dict[str, syntax.Expr] = {}

    def read(self, ends: Ends) -> Topology | None:
        if not self._is_call():
            return None
        self._keywords()
        match self.name:
            case "sparse":
                return self._sparse()
            case "edges":
                return self._edges(ends)
            case "conv" | "pool":
                return self._windows()
            case _:
                return self.kind()  # it takes no arguments

    # ------------------------------------------------------------- arguments

    def error(self, message: str, span: Span, help: str, code: str = "E411") -> None:
        self.wrong = True
        self.numbers.report.error(code, message, span, help=help)

    def _is_call(self) -> bool:
        """Whether parentheses stand where they should."""
        attr, plain = self.attr, not self.kind.example
        if plain and (attr.value is not None or attr.args is not None):
            self.error(f"`{self.name}` takes no arguments", attr.span, f"write `{self.name}`")
        elif not plain and not (attr.args or attr.options):
            message = f"`{self.name}` needs its arguments in parentheses"
            self.error(message, attr.span, f"write `{self.kind.example}`")
        return not self.wrong

    def _keywords(self) -> None:
        known = self.kind.keywords
        for option in self.attr.options:
            if option.name not in known:
                help = suggest(option.name, known, f"it takes {', '.join(f'`{k} = ..`' for k in known)}")
                self.error(f"`{self.name}` takes no `{option.name} = ..`", option.span, help)
            elif option.name in self.options:
                self.error(f"`{option.name}` is given twice", option.span, "keep one of them", "E410")
            else:
                self.options[option.name] = option.value

    def _numbers_only(self, args: tuple[syntax.Expr | syntax.Text, ...]) -> list[syntax.Expr]:
        for arg in args:
            if isinstance(arg, syntax.Text):
                self.error(f"`{self.name}` reads no file", arg.span, f"write `{self.kind.example}`")
        return [arg for arg in args if not isinstance(arg, syntax.Text)]

    def _word(self, keyword: str, words: tuple[str, ...]) -> str | None:
        value = self.options.get(keyword)
        return None if value is None else self._one_of(value, f"`{keyword}`", words)

    def _one_of(self, value: syntax.Expr, what: str, words: tuple[str, ...]) -> str | None:
        if isinstance(value, syntax.Name) and value.name in words:
            return value.name
        found = code(value.span)
        choices = f"{', '.join(words[:-1])} or {words[-1]}"
        message = f"{what} is {choices}, found `{found}`"
        self.error(message, value.span, suggest(found, words, f"write `{words[0]}`"))
        return None

    def _whole(self, e: syntax.Expr, what: str, least: int, most: int | None = None) -> int | None:
        value = self.numbers.whole(e, what, least, most)
        self.wrong = self.wrong or value is None
        return value

    # ---------------------------------------------------------------- sparse

    def _sparse(self) -> Sparse | None:
        for arg in self._numbers_only(self.attr.args or ()):
            value = self.numbers.number(arg)
            keyword = "fan_in" if value is not None and value > 1 else "p"
            self.error(
                "`sparse` does not say what its number means", arg.span, f"write `sparse({keyword} = {code(arg.span)})`"
            )
        p, fan_in = self.options.get("p"), self.options.get("fan_in")
        if p is not None and fan_in is not None:
            message = "`sparse` takes either `p` or `fan_in`, and found both"
            self.error(message, self.attr.span, "keep one of them", "E410")
        elif p is None and fan_in is None and not self.wrong:
            message = "`sparse` needs `p` or `fan_in`, and found neither"
            help = "write `sparse(p = 0.1)`, where every pair is joined with that probability, or `sparse(fan_in = 10)`"
            self.error(message, self.attr.span, help)
        seed = self.options.get("seed")
        number = 0 if seed is None else self._whole(seed, "a seed", 0, MOST_SEED)
        form = cast("Form | None", self._word("form", FORMS))
        chance = None if p is None else self._probability(p)
        size = None if fan_in is None else self._whole(fan_in, "`fan_in`", 1)
        return None if self.wrong or number is None else Sparse(chance, size, number, form)

    def _probability(self, e: syntax.Expr) -> float | None:
        value = self.numbers.number(e)
        self.wrong = self.wrong or value is None
        if value is not None and not 0 < value <= 1:
            is_count = value > 1 and value == int(value)
            help = f"write `fan_in = {int(value)}` for that many" if is_count else "write `p = 0.1`, for example"
            message = f"`p` is a probability, above 0 and at most 1, found {number_text(value)}"
            self.wrong = True
            self.numbers.report.add(WrongValue.of([e], e.span, message, help, "E411"))
        return None if value is None else float(value)

    # ----------------------------------------------------------------- edges

    def _edges(self, ends: Ends) -> Edges | None:
        args = self.attr.args or ()
        form = cast("Form | None", self._word("form", FORMS))
        if len(args) != 1 or not isinstance(args[0], syntax.Text):
            self.error("`edges` takes the name of one file, in quotes", self.attr.span, f"write `{self.kind.example}`")
            return None
        name = args[0].value
        file = ends.body.wiring.around.files[self.attr.span.source, name]
        try:
            return edges(name, file, ends.source, ends.target, ends.body.visible(), form)
        except WrongFile as problem:
            self._wrong_file(problem if file.quoted else problem.unquoted(file))
            return None

    def _wrong_file(self, problem: WrongFile) -> None:
        """What is wrong with a file is said once, however many projections read it."""
        said = self.numbers.report.diagnostics
        same = (d.span for d in said if (d.code, d.message) == (problem.code, problem.message))
        span = next(same, None) or self.attr.span
        self.wrong = True
        self.numbers.report.error(problem.code, problem.message, span, notes=problem.notes, help=problem.help)

    # --------------------------------------------------------------- windows

    def _windows(self) -> Conv | Pool | None:
        """`conv(3, 3)`, `pool(max, 2, 2)`"""
        if self.name == "pool" and self._quotes_its_kind():
            return None
        args = self._numbers_only(self.attr.args or ())
        kind = self._kind(args) if self.name == "pool" else None
        given = [self._whole(e, "the size of a window", 1) for e in args]
        window = tuple(w for w in given if w is not None)
        if not 1 <= len(given) <= MOST_AXES and not self.wrong:
            message = f"`{self.name}` takes 1 to {MOST_AXES} sizes of its window, found {len(given)}"
            self.error(message, self.attr.span, f"write `{self.kind.example}`")
        if self.wrong:
            return None
        stride = self._stride(window if kind else (1,) * len(window))
        word = self._word("padding", PADDINGS)
        padding = cast("Padding", word or ("valid" if kind else "same"))
        if kind == "avg" or kind == "max":
            return Pool(window, stride, padding, kind)
        return Conv(window, stride, padding)

    def _quotes_its_kind(self) -> bool:
        """`pool("max", 2)`"""
        kind, *sizes = self.attr.args or (None,)
        if not isinstance(kind, syntax.Text):
            return False
        word = kind.value if kind.value in POOLED_BY else did_you_mean(kind.value, POOLED_BY) or POOLED_BY[0]
        help = f"write `pool({', '.join([word, *(code(s.span) for s in sizes)])})`"
        self.error("the kind of a pool is a word without quotes", kind.span, help)
        return True

    def _kind(self, args: list[syntax.Expr]) -> str | None:
        """Which pool; takes it out of the arguments."""
        if args and isinstance(args[0], syntax.Name) and args[0].name not in self.numbers.values:
            return self._one_of(args.pop(0), "the kind of a pool", POOLED_BY)
        sizes = ", ".join(code(a.span) for a in args) or "2, 2"
        help = f"write `pool(max, {sizes})` or `pool(avg, {sizes})`"
        self.error("`pool` names its kind first", self.attr.span, help)
        return None

    def _stride(self, default: Shape) -> Shape:
        e = self.options.get("stride")
        if e is None:
            return default
        items = e.items if isinstance(e, syntax.Vector) else (e,) * len(default)
        if len(items) != len(default):
            axes = "axis" if len(default) == 1 else "axes"
            message = f"the window has {len(default)} {axes}, but `stride` has {len(items)}"
            self.error(message, e.span, f"write one number for all, or {len(default)} of them")
            return default
        steps = [self._whole(item, "a stride", 1) for item in items]
        return tuple(s for s in steps if s is not None)
