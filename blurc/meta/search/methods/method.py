"""The interface of search methods."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

import jax

from blurc.meta.search.episode import Feedback
from blurc.tasks import Costs

Wants = Literal["gradients", "values", "persistent", "tuned"]


class Method(Protocol):
    """wants: the feedback a method needs: gradients, values, values on the next piece of an episode that spans
    several meta-steps, or values after constants were tuned."""

    wants: ClassVar[Wants]

    def init(self, genomes: Any) -> Any: ...

    def ask(self, state: Any, key: jax.Array) -> Any: ...

    def tell(self, state: Any, candidates: Any, costs: Costs, feedback: Feedback) -> Any: ...

    def genomes(self, state: Any) -> Any:
        """The current genomes, [replicas]; the best of these is the result."""
        ...

    def replaced(self, state: Any, genomes: Any, anew: jax.Array) -> Any:
        """Replaces the genomes selected by `anew`, a boolean [replicas], and restarts the search there."""
        ...
