"""What to write for functions, distributions and values that other languages call by other names."""

from __future__ import annotations

from collections.abc import Iterable

from blurc.checker.mentions import walk
from blurc.checker.rules.names import Place
from blurc.checker.wording import code
from blurc.diagnostics import did_you_mean
from blurc.language import functions, syntax

CALLED = {
    "maximum": "max", "minimum": "min", "clamp": "clip", "logistic": "sigmoid", "expit": "sigmoid",
    "ln": "log", "absolute": "abs", "identity": "linear", "heaviside": "step",
}  # fmt: skip
OF_PLACES = {  # only where the scope is a neuron
    f"{what}_{how}": f"place_{how}" for what in ("channel", "spatial") for how in ("mean", "sum", "max")
}
FORMULAS = {
    "leaky_relu": "max({x}, 0.01 * {x})",
    "silu": "{x} * sigmoid({x})",
    "swish": "{x} * sigmoid({x})",
    "power": "x ^ 2",
    "pow": "x ^ 2",
    "concatenate": "[a, b]",
    "concat": "[a, b]",
    "stack": "[a, b]",
}
PRODUCTS = ("dot", "matmul")
DRAWS = {"gaussian": "normal", "randn": "normal", "rand": "uniform", "zero": "zeros", "one": "ones"}
SCALED = {
    "xavier": "normal(sqrt(2 / (fan_in + fan_out)))",
    "glorot": "normal(sqrt(2 / (fan_in + fan_out)))",
    "he": "normal(sqrt(2 / fan_in))",
    "kaiming": "normal(sqrt(2 / fan_in))",
    "lecun": "normal(1 / sqrt(fan_in))",
}
NOISES = {
    **dict.fromkeys(("normal", "gaussian", "randn"), "`noise(std)`: normal numbers with mean 0"),
    **dict.fromkeys(("rand", "random", "randint"), "`uniform(low, high)`"),
}
VALUES = ("constant", "const", "full", "value")
TRANSPOSES = ("T", "mT", "H", "transpose")

# Other names for the data and the biases, by the phase in which the help is right.
CALLED_IN: dict[str, tuple[tuple[str, ...], str]] = {
    "sense": (("x", "data", "image", "images"), "write `input`: that is the data of an input population"),
    "feedback": (
        ("y", "t", "label", "labels", "y_true", "truth"),
        "write `target`: that is the targets of an output population",
    ),
    "forward": (
        ("b", "bias", "biases"),
        "leave it out: every population already has a bias, its synapses from the unit neuron",
    ),
    "update": (
        ("b", "bias", "biases"),
        "leave it out: biases are the synapses from the unit neuron, and learn like all others",
    ),
}  # fmt: skip


def name_help(name: str, place: Place) -> str | None:
    """What to write for an undeclared name."""
    names, help = CALLED_IN.get(place.phase, ((), ""))
    known = place.phase in ("forward", "update") or not place.synapse
    return help if name in names and known else None


def declarations(name: str, place: Place) -> str:
    """How something unknown may be declared so that it is visible at a place."""
    own = f"`synapse {name} ~ ones`" if place.synapse else f"`state {name}`"
    if place.phase == "init":
        return f"`learn {name} = 1.0` or `const {name} = 1.0`"
    if place.total or place.phase == "readout":
        return f"{own} or `learn {name} = 1.0`"
    return f"{own}, `learn {name} = 1.0` or `let {name} = ..`"


def function_help(e: syntax.Call, place: Place) -> str | None:
    """What to write for a function of NumPy or JAX; None for one that they do not have either."""
    name = e.function
    if name in CALLED:
        return f"did you mean `{CALLED[name]}`?"
    if name in OF_PLACES and not place.synapse:
        return f"did you mean `{OF_PLACES[name]}`?"
    if name in NOISES and place.draws:
        return f"random numbers are drawn by {NOISES[name]}"
    if not e.args:
        return None
    if name in FORMULAS:
        return f"write `{FORMULAS[name].format(x=_short(e.args[0]))}`"
    if name in PRODUCTS and len(e.args) == 2:
        return _product(e, place)
    return _sum(e, place) if name in ("sum", "mean") else None


def slot_help(slot: str, found: str, own: Iterable[str] = ()) -> str:
    """What to put into a slot. `own`: the functions of the spec."""
    known = (*own, *functions.UNARY)
    near = CALLED.get(found) or did_you_mean(found, known)
    if found == "softmax":
        return f"{functions.NO_SOFTMAX}write `{slot} = linear`"
    one_of = (
        f"one of {', '.join(known)}, or a function of your own: `fn {found if found.isidentifier() else 'f'}(x) = ..`"
    )
    return f"did you mean `{near}`?" if near in known else one_of


def without_mean(init: syntax.Distribution) -> str | None:
    """For `normal(0, 0.1)`, which others write with the mean."""
    match init:
        case syntax.Distribution("normal", (syntax.Number(0), std)):
            return f"normal({code(std.span)})"
        case _:
            return None


def distribution_help(init: syntax.Distribution) -> str | None:
    if init.name in VALUES and init.args:
        return f"write a value as `= {code(init.args[-1].span)}`"
    if init.name in SCALED:
        return f"write `{SCALED[init.name]}`"
    near = DRAWS.get(init.name)
    return f"did you mean `{near}`?" if near else None


def _product(e: syntax.Call, place: Place) -> str:
    left, right = (code(a.span) for a in e.args)
    way = _way(e)
    if way and not place.synapse:
        return f"to sum over the synapses, write `{way}({left} * {right})`"
    return f"write a matrix product as `{left} @ {right}`"


def _sum(e: syntax.Call, place: Place) -> str | None:
    body, way = code(e.args[0].span), _way(e)
    if place.total:
        return f"{place.total}(..) is already a sum: write `{body}`" if e.function == "sum" else None
    if place.phase == "update" and not place.reduced:
        return f"over the batch, write `batch_{e.function}({body})`"
    if place.synapse:
        return None
    if way is None:
        return f"over the population, write `population_{e.function}({body})`"
    size = "" if e.function == "sum" else " / fan_in" if way == "incoming" else " / fan_out"
    return f"over the synapses, write `{way}({body}{size})`"


def _way(e: syntax.Call) -> str | None:
    """The sum over synapses that is meant, judging by the neuron at their other end."""
    owners = {part.owner for part in walk(e) if isinstance(part, syntax.Attribute)}
    return {"pre": "incoming", "post": "outgoing"}.get(owners.pop()) if len(owners) == 1 else None


def _short(e: syntax.Expr) -> str:
    text = code(e.span)
    return text if len(text) <= 20 else "x"
