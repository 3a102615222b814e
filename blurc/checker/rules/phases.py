"""The phases of a genome in the order that they run, repeats written out, each run with a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from blurc.checker import mentions
from blurc.checker.constants import Constants
from blurc.checker.rules.variants import is_run, together, with_own_updates
from blurc.diagnostics import Report, did_you_mean
from blurc.language import syntax
from blurc.model import Phase, Statement, Variant

MOST = 1000  # of a genome, repeats written out: each is compiled separately
KEYWORDS = ("state", "signal", "synapse", "learn", "const", "fn", "repeat", "readout")
PHASE_KINDS = ("sense", "forward", "feedback", "backward", "update")


@dataclass(slots=True)
class Phases:
    tree: syntax.Genome
    numbers: Constants
    check: Callable[[syntax.Phase], Sequence[Statement]]
    report: Report
    _named: dict[str, Phase] = field(default_factory=dict[str, Phase])
    _count: Counter[str] = field(default_factory=Counter[str])

    def in_order(self) -> list[Phase]:
        phases: list[Phase] = []
        for item in together(self.tree.items):
            if not isinstance(item, syntax.Repeat):
                phases += self._run(item)
                continue
            runs = (run for run in together(item.phases) if not isinstance(run, syntax.Repeat))
            once = [phase for run in runs for phase in self._run(run)]
            for i in range(1, self._rounds(item, len(phases), len(once)) + 1):
                phases += [replace(phase, name=f"{phase.name}@{i}") for phase in once]
        return with_own_updates(phases)

    def _run(self, item: list[syntax.Phase] | syntax.Again) -> Iterator[Phase]:
        """The phase as it runs here; nothing where its name is not known."""
        if isinstance(item, list):
            phase = self._phase(item)
            self._declare(item[0], phase)
        elif item.name in self._named:
            phase = self._named[item.name]
        else:
            self._unknown(item)
            return
        self._count[phase.name] += 1
        count = self._count[phase.name]
        yield phase if count == 1 else replace(phase, name=f"{phase.name}#{count}")

    def _phase(self, group: list[syntax.Phase]) -> Phase:
        first = group[0]
        written = {tree.of: tuple(self.check(tree)) for tree in group if is_run(tree, self.report)}
        general = written.pop("", ())
        variants = tuple(Variant(of, statements) for of, statements in written.items())
        return Phase(first.kind, first.name or first.kind, general, first.span, variants)

    def _declare(self, item: syntax.Phase, phase: Phase) -> None:
        if item.name in self._named:
            message = f"a second phase is called `{item.name}`"
            first = self._named[item.name].span
            help = f"rename one of them, or run the first again: `{item.name}` on its own"
            self.report.error("E106", message, item.span, notes=[f"the first is on line {first.line}"], help=help)
        elif item.name:
            self._named[item.name] = phase

    def _unknown(self, item: syntax.Again) -> None:
        if self.tree.damaged:
            return
        further_down = any(phase.name == item.name for phase in mentions.phases(self.tree))
        message = f"no phase is called `{item.name}`{' so far' if further_down else ''}"
        self.report.error("E201", message, item.span, help=self._help(item.name, further_down))

    def _help(self, name: str, further_down: bool) -> str:
        if further_down:
            return f"write the phase here, and `{name}` alone where it is written now"
        near = did_you_mean(name, (*self._named, *KEYWORDS, *PHASE_KINDS))
        return f"did you mean `{near}`?" if near else f"name one above, `forward {name} {{ .. }}`, or remove this"

    def _rounds(self, item: syntax.Repeat, before: int, each: int) -> int:
        """How often the phases of a repeat run; 0 where that is wrong. `before`: phases so far; `each`: in a round."""
        rounds = self.numbers.whole(item.count, "the number of rounds", 0)
        if not item.phases and not self.tree.damaged:
            message = "this `repeat` holds no phase: there is nothing to repeat"
            help = "write phases into it, `repeat 20 { forward { .. } backward { .. } }`, or remove it"
            self.report.error("E217", message, item.span, help=help)
        if rounds is None or not each:
            return 0
        total = before + rounds * each
        if total <= MOST:
            return rounds
        message = f"this `repeat` brings the genome to {total:,} phases; there are at most {MOST:,}"
        help = (
            f"at most {(MOST - before) // each} rounds fit; more of them can be several steps, with `persistent` states"
        )
        self.report.error("E216", message, item.count.span, notes=["every round is compiled separately"], help=help)
        return 0
