"""What the names of the language mean, in a line each, as hovers and completions show it."""

from __future__ import annotations

from collections.abc import Mapping

FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "linear": ("linear(x)", "x"),
    "tanh": ("tanh(x)", "the hyperbolic tangent"),
    "relu": ("relu(x)", "x where it is above 0, and 0 elsewhere"),
    "sigmoid": ("sigmoid(x)", "1 / (1 + exp(-x))"),
    "softplus": ("softplus(x)", "log(1 + exp(x))"),
    "gelu": ("gelu(x)", "x times the share of a normal distribution below x"),
    "exp": ("exp(x)", "the exponential"),
    "log": ("log(x)", "the natural logarithm"),
    "sqrt": ("sqrt(x)", "the square root"),
    "abs": ("abs(x)", "the absolute value"),
    "sign": ("sign(x)", "-1, 0 or 1"),
    "step": ("step(x)", "1 where x is above 0, and 0 elsewhere"),
    "square": ("square(x)", "x ^ 2"),
    "sin": ("sin(x)", "the sine"),
    "cos": ("cos(x)", "the cosine"),
    "erf": ("erf(x)", "the error function"),
    "floor": ("floor(x)", "the largest integer that is not above x"),
    "min": ("min(x, y, ..)", "the smallest"),
    "max": ("max(x, y, ..)", "the largest"),
    "clip": ("clip(x, low, high)", "x, but at least low and at most high"),
    "where": ("where(c, x, y)", "x where c is not 0, and y elsewhere"),
    "softmax": ("softmax(z)", "exp(z) / population_sum(exp(z)), without overflow"),
    "standardize": ("standardize(z)", "mean 0 and variance 1 over the batch; with `running`, by running statistics"),
    "population_mean": ("population_mean(z)", "the mean over the neurons of the population"),
    "population_sum": ("population_sum(z)", "the sum over the neurons of the population"),
    "population_max": ("population_max(z)", "the largest among the neurons of the population"),
    "place_mean": ("place_mean(z)", "the mean over the places of the population, for the neuron's own channel"),
    "place_sum": ("place_sum(z)", "the sum over the places of the population, for the neuron's own channel"),
    "place_max": ("place_max(z)", "the largest among the places of the population, for the neuron's own channel"),
    "incoming": ("incoming(E)", "the sum of E over the neuron's incoming synapses"),
    "outgoing": ("outgoing(E)", "the sum of E over the neuron's outgoing synapses"),
    "outgoing_until": (
        "pre.outgoing_until(E)",
        "the sum of E over the projection's synapses from the neuron up to this",
    ),
    "batch_mean": ("batch_mean(E)", "the mean over the examples of the batch"),
    "batch_sum": ("batch_sum(E)", "the sum over the examples of the batch"),
    "projection_mean": ("projection_mean(E)", "the mean over all synapses of the projection"),
    "projection_sum": ("projection_sum(E)", "the sum over all synapses of the projection"),
    "projection_max": ("projection_max(E)", "the largest among all synapses of the projection"),
    "running_mean": ("running_mean(z, rate)", "the mean over examples and steps; `rate` is 0.1 unless given"),
    "running_var": ("running_var(z, rate)", "the variance over examples and steps; `rate` is 0.1 unless given"),
    "noise": ("noise(std)", "a normal random number with mean 0"),
    "uniform": ("uniform(low, high)", "a uniform random number"),
}

VALUES: Mapping[str, str] = {
    "input": "in `sense`: the data",
    "target": "in `feedback`: the targets",
    "fan_in": "the size of the population that the projection comes from",
    "fan_out": "the size of the population that the projection goes to",
    "plastic": "1 where `update` changes the synapses of the projection, else 0",
    "pre": "the presynaptic neuron of a synapse",
    "post": "the postsynaptic neuron of a synapse",
}

DISTRIBUTIONS: Mapping[str, tuple[str, str]] = {
    "normal": ("normal(std)", "independent draws with mean 0"),
    "uniform": ("uniform(low, high)", "independent draws"),
    "zeros": ("zeros", "0 everywhere"),
    "ones": ("ones", "1 everywhere"),
}

GENOME: Mapping[str, str] = {
    "state": "what every neuron keeps",
    "signal": "a value that comes from outside with every step",
    "synapse": "what every synapse keeps",
    "learn": "a meta-parameter, which meta-learning may change",
    "const": "a value that nothing changes",
    "fn": "a function slot, which populations may replace, or a function of one's own",
    "sense": "the phase of the input populations",
    "forward": "a phase of all other populations, from the inputs to the outputs",
    "feedback": "a phase of the output populations",
    "backward": "a phase of all populations but the inputs, from the outputs back",
    "update": "a phase of all synapses",
    "repeat": "phases that run several times",
    "readout": "what a prediction is",
}

PHASES = ("sense", "forward", "feedback", "backward", "update")

FILE: Mapping[str, str] = {
    "import": "what another file declares",
    "genome": "how neurons and synapses learn",
    "network": "what is wired to what",
    "block": "a piece of a network that is used again",
    "fn": "a function of numbers",
}

NETWORK: Mapping[str, str] = {
    "input": "a population that holds the data",
    "hidden": "a population inside",
    "output": "a population that holds the prediction",
    "for": "a loop; both ends are included",
}

OPTIONS: Mapping[str, str] = {
    "bias": "`on`, `off`, or `shared` by all places of a channel",
    "kind": "the kind of the population, which phases may be written for: `forward of KIND { .. }`",
}

ATTRIBUTES: Mapping[str, str] = {
    "forward": "carries forward only",
    "backward": "carries feedback only",
    "fixed": "its synapses do not learn",
    "label": "the name of the projection",
    "same": "has the synapses of the projection with this label",
    "kind": "the kind of the projection: `incoming[KIND](E)`, `update of KIND { .. }`",
    "delay": "carries what was there so many steps ago",
    "dense": "every neuron with every neuron",
    "one_to_one": "neuron i with neuron i",
    "identity": "neuron i with neuron i, without synapses",
    "sparse": "a random choice of pairs",
    "edges": "the pairs that a file lists",
    "conv": "windows of the source with places of the target, sharing synapses",
    "pool": "windows of the source with places of the target, without synapses",
}

PER: Mapping[str, str] = {
    "population": "a value for every population",
    "projection": "a value for every projection",
    "neuron": "a value for every neuron",
    "synapse": "a value for every synapse",
    "example": "a value for every example of the batch",
}
ALLOWED_PER: Mapping[str, tuple[str, ...]] = {
    "signal": ("example",),
    "synapse": ("example",),
    "learn": ("population", "projection", "neuron", "synapse"),
    "const": ("population", "projection"),
}

KEYWORDS: Mapping[str, str] = {**GENOME, **FILE, **NETWORK, **ATTRIBUTES, **OPTIONS}


def meaning(name: str) -> str | None:
    """The line about a name that nobody declared."""
    if name in FUNCTIONS:
        signature, about = FUNCTIONS[name]
        return f"`{signature}`: {about}"
    about = VALUES.get(name) or KEYWORDS.get(name)
    return f"`{name}`: {about}" if about else None
