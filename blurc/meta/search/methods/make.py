"""Makes the method that an experiment chooses."""

from __future__ import annotations

from blurc.meta.experiment.experiment import Cma, Gradient, MethodChoice, Pes
from blurc.meta.search.methods.cma_es import CmaMethod
from blurc.meta.search.methods.gradient import GradientMethod
from blurc.meta.search.methods.method import Method
from blurc.meta.search.methods.pes import PesMethod


def make(choice: MethodChoice, seed: int) -> Method:
    match choice:
        case Gradient():
            return GradientMethod(choice)
        case Cma():
            return CmaMethod(choice, seed)
        case Pes():
            return PesMethod(choice)
