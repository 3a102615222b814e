"""Files -> `Names`: every name with what it refers to."""

from __future__ import annotations

from collections.abc import Iterable

from blurc.diagnostics import Span
from blurc.editor.names import Names, Symbol, Table, Use, declared, symbol, word, words
from blurc.language import syntax as s

KIND = "kind"  # of projections or populations


def resolve(files: tuple[s.File, ...]) -> Names:
    names = Names(files)
    for file in files:
        for kind, items in (
            ("genome", file.genomes), ("network", file.networks), ("block", file.blocks), ("function", file.functions),
        ):  # fmt: skip
            for item in items:
                names.top.setdefault(item.name, symbol(kind, item.name, item.name_span, item))
    for file in files:
        for genome in file.genomes:
            names.tables[genome.name] = _table(genome, names, ())
        for body in (*file.networks, *file.blocks):
            names.tables[body.name] = _body_table(body)
    for file in files:
        _Resolver(names).file(file)
    return names


def _table(genome: s.Genome, names: Names, seen: tuple[str, ...]) -> Table:
    """What a genome declares, and what it inherits."""
    base = names.genome(genome.extends.genome) if genome.extends else None
    inherited = _table(base, names, (*seen, genome.name)) if base and base.name not in (*seen, genome.name) else {}
    return {**inherited, **declared(genome.params, genome.name), **declared(genome.items, genome.name)}


def _body_table(body: s.Network | s.Block) -> Table:
    found = declared(body.params, body.name)
    waiting: list[s.NetworkItem] = list(body.items)
    while waiting:
        item = waiting.pop(0)
        match item:
            case s.For(_, _, _, items):
                waiting[:0] = items
            case s.Population(_, name) | s.Instance(name):
                kind = "population" if isinstance(item, s.Population) else "block in use"
                found.setdefault(name.base, symbol(kind, name.base, word(name.span), item, body.name))
            case s.Projection():
                for attr in item.attrs:
                    if attr.name == "label" and isinstance(attr.value, s.Name | s.IndexedName):
                        at = word(attr.value.span)
                        found.setdefault(f"label {at.text}", symbol("label", at.text, at, item, body.name))
    return found


class _Resolver:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._tables: list[Table] = []  # the innermost last

    def file(self, file: s.File) -> None:
        for function in file.functions:
            self._function(function)
        for genome in file.genomes:
            self._genome(genome)
        for body in (*file.networks, *file.blocks):
            self._body(body)

    # ------------------------------------------------------------ the parts of all

    def _use(self, at: Span, found: Symbol | None, declares: bool = False) -> None:
        self._names.uses.append(Use(at, at.text, found, declares or (found is not None and found.span == at)))

    def _find(self, name: str) -> Symbol | None:
        found = next((table[name] for table in reversed(self._tables) if name in table), None)
        top = self._names.top.get(name)
        return found or (top if top and top.kind == "function" else None)

    def _nodes(self, nodes: Iterable[s.Node | None]) -> None:
        for node in nodes:
            if node is not None:
                self._expr(node)

    def _expr(self, node: s.Node) -> None:
        match node:
            case s.Name(name):
                self._use(word(node.span), self._find(name))
            case s.Attribute(_, name):
                self._use(word(node.span, 1), self._find(name))
            case s.Call(function, args, _, owner, kind):
                named = [*words(node.span)]
                at = named[1 if owner and len(named) > 1 else 0]
                self._use(at, self._find(function))
                if kind:
                    self._kind(next(w for w in named if w.start > at.start and w.text == kind))
                self._nodes(args)
            case s.IndexedName(base, indices, port):
                self._use(word(node.span), self._find(base))
                self._nodes(indices)
                if port:
                    self._port(self._find(base), port)
            case _:
                self._nodes(s.children(node))

    def _kind(self, at: Span) -> None:
        self._names.kinds.setdefault(at.text, symbol(KIND, at.text, at, s.Name(at.text, span=at)))
        self._use(at, self._names.kinds[at.text])

    def _function(self, node: s.Function) -> None:
        self._use(node.name_span, self._find(node.name), declares=True)
        self._tables.append(declared(node.arguments, node.name))
        for argument in node.arguments:
            self._use(word(argument.span), self._find(argument.name))
        self._nodes((node.value, node.slope))
        self._tables.pop()

    def _params(self, params: Iterable[s.Param]) -> None:
        for param in params:
            self._use(word(param.span), self._find(param.name))
            self._expr(param.default)

    # ------------------------------------------------------------ genomes

    def _genome(self, genome: s.Genome) -> None:
        self._use(genome.name_span, self._names.top.get(genome.name), declares=True)
        if genome.extends:
            self._use(word(genome.extends.span, 1), self._names.top.get(genome.extends.genome))
        self._tables = [self._names.tables[genome.name]]
        self._params(genome.params)
        for item in genome.items:
            self._item(item)
        self._tables = []

    def _item(self, item: s.Node) -> None:
        match item:
            case s.Function():
                self._function(item)
            case s.Phase(_, statements, of, name):
                if name:
                    self._use(word(item.span, 1), self._find(name))
                if of:
                    self._kind(word(item.span, 3 if name else 2))
                self._tables.append({})
                for statement in statements:
                    self._statement(statement)
                self._tables.pop()
            case s.Again(name):
                self._use(item.span, self._find(name))
            case s.Repeat(count, phases):
                self._expr(count)
                for phase in phases:
                    self._item(phase)
            case s.Readout(value):
                self._expr(value)
            case s.Fn(name, function):
                self._use(word(item.span), self._find(name))
                self._use(word(item.span, 1), self._find(function))
            case _:
                self._use(word(item.span), self._find(word(item.span).text), declares=True)
                self._nodes(child for child in s.children(item) if not isinstance(child, s.Distribution))
                self._nodes(arg for d in s.children(item) if isinstance(d, s.Distribution) for arg in d.args)

    def _statement(self, node: s.Statement) -> None:
        self._nodes((*(node.items if isinstance(node, s.Assign) else ()), node.value))
        if isinstance(node, s.Assign):
            self._use(node.name_span, self._find(node.name))
        else:
            at = word(node.span, 1)
            self._tables[-1][node.name] = symbol("named value", node.name, at, node)
            self._use(at, self._tables[-1][node.name])

    # ------------------------------------------------------------ networks and blocks

    def _body(self, body: s.Network | s.Block) -> None:
        self._use(body.name_span, self._names.top.get(body.name), declares=True)
        self._tables = [self._names.tables[body.name]]
        self._params(body.params)
        self._rule: Table = {}
        if isinstance(body, s.Block):  # it may be used under any rule
            for genome in (genome for file in self._names.files for genome in file.genomes):
                self._rule = {**self._names.tables[genome.name], **self._rule}
        if isinstance(body, s.Network) and body.uses:
            self._use(word(body.uses.span, 1), self._names.top.get(body.uses.genome))
            self._rule = self._names.tables.get(body.uses.genome, {})
            self._options(body.uses.args, self._rule)
        for item in body.items:
            self._network_item(item)
        self._tables = []

    def _network_item(self, item: s.NetworkItem) -> None:
        match item:
            case s.Population(_, name, dims, options):
                self._nodes((name, *dims))
                self._options(options, self._rule)
            case s.Projection(ends, attrs):
                self._nodes(ends)
                for attr in attrs:
                    self._attr(attr)
            case s.Instance(name, block, args):
                self._expr(name)
                at = next((w for w in words(item.span) if w.start >= name.span.stop), item.span)
                self._use(at, self._names.top.get(block))
                self._bindings(self._names.tables.get(block, {}), args)
            case s.For(variable, low, high, items):
                self._nodes((low, high))
                at = word(item.span, 1)
                self._tables.append({variable: symbol("loop variable", variable, at, item)})
                self._use(at, self._tables[-1][variable])
                for inner in items:
                    self._network_item(inner)
                self._tables.pop()

    def _options(self, options: Iterable[s.Option], table: Table) -> None:
        for option in options:
            self._use(word(option.span), table.get(option.name))
            if option.name == KIND:
                self._kind(word(option.value.span))
            else:
                self._expr(option.value)

    def _bindings(self, table: Table, args: Iterable[s.Binding]) -> None:
        for binding in args:
            self._use(word(binding.span), table.get(binding.name))
            population = s.as_population(binding.value)
            found = self._find(population.base) if population else None
            self._expr(population if population and found else binding.value)

    def _port(self, instance: Symbol | None, port: s.IndexedName) -> None:
        """`y` in `r{i}.y`: a population of the block that is in use."""
        block = instance.node.block if instance and isinstance(instance.node, s.Instance) else ""
        self._use(word(port.span), self._names.tables.get(block, {}).get(port.base))
        self._nodes(port.indices)

    def _attr(self, attr: s.Attr) -> None:
        value = attr.value
        self._use(word(attr.span), self._rule.get(attr.name) if value is not None else None)
        if attr.name in ("label", "same") and isinstance(value, s.Name | s.IndexedName):
            at = word(value.span)
            self._use(at, self._find(f"label {at.text}"))
            self._nodes(value.indices if isinstance(value, s.IndexedName) else ())
        elif attr.name == KIND and isinstance(value, s.Name):
            self._kind(word(value.span))
        else:
            self._nodes((value, *(a for a in attr.args or () if not isinstance(a, s.Text))))
            self._nodes(option.value for option in attr.options)
