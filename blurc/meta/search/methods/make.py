"""Makes the method that an experiment chooses."""

from __future__ import annotations

from blurc.meta.experiment.experiment import Cma, Gradient, MethodChoice, Pes, Symbolic
from blurc.meta.search.methods.cma_es import CmaMethod
from blurc.meta.search.methods.gradient import GradientMethod
from blurc.meta.search.methods.method import Method
from blurc.meta.search.methods.pes import PesMethod
from blurc.meta.search.methods.symbolic import SymbolicMethod
from blurc.symbolic import Space


def make(choice: MethodChoice, seed: int, space: Space | None = None) -> Method:
    """space: of the rules that a symbolic search looks through."""
    match choice:
        case Gradient():
            return GradientMethod(choice)
        case Cma():
            return CmaMethod(choice, seed)
        case Pes():
            return PesMethod(choice)
        case Symbolic():
            assert space
            return SymbolicMethod(choice, space, seed)
