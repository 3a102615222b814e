"""How genomes are searched, behind one interface. One method a file.

    state = method.init(genomes)                    # genomes: a pytree with a leading axis [replicas]
    candidates = method.ask(state, key)             # the same with an axis [candidates]
    state = method.tell(state, candidates, costs, feedback)

`feedback.gradients` is there where `method.wants` is `"gradients"`. States are pytrees of arrays, so that they can be
kept in a checkpoint; functions are pure.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

import jax

from blurc.meta.episode import Feedback
from blurc.meta.experiment import Cma, Gradient, MethodChoice, Pes
from blurc.meta.objective import Costs

Wants = Literal["gradients", "values", "persistent"]


class Method(Protocol):
    """wants: what has to be known of candidates: the gradients of their values, their values, or values on the next
    piece of an episode that goes on over many meta-steps."""

    wants: ClassVar[Wants]

    def init(self, genomes: Any) -> Any: ...

    def ask(self, state: Any, key: jax.Array) -> Any: ...

    def tell(self, state: Any, candidates: Any, costs: Costs, feedback: Feedback) -> Any: ...

    def genomes(self, state: Any) -> Any:
        """What the search believes in, [replicas]; the best of these is the result."""
        ...

    def replaced(self, state: Any, genomes: Any, anew: jax.Array) -> Any:
        """With other genomes where `anew`, a boolean [replicas]: the search begins again there."""
        ...


def make(choice: MethodChoice, seed: int) -> Method:
    from blurc.meta.methods.cma_es import CmaMethod
    from blurc.meta.methods.gradient import GradientMethod
    from blurc.meta.methods.pes import PesMethod

    match choice:
        case Gradient():
            return GradientMethod(choice)
        case Cma():
            return CmaMethod(choice, seed)
        case Pes():
            return PesMethod(choice)
