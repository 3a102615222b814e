"""What every method of search can do."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

import jax

from blurc.meta.search.episode import Feedback
from blurc.meta.search.objective import Costs

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
