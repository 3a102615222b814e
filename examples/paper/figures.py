"""The figures: what each asks, how it is measured, and what the paper's text says of it."""

from __future__ import annotations

from . import metric, rates, spread
from .figure import Curves, Eigenvalues, Figure, Points, Settings, Track, Trajectory
from .learned import HERE

SMALL: Settings = {
    "parameters.hidden": "32",
    "method.steps": "300",
    "method.rate": "0.01",
    "inner.query": "128",
    "replicas": "1",
    "evaluation.seeds": "2",
}
EVOLVED: Settings = {
    "parameters.hidden": "64",
    "method.steps": "60",
    "method.population": "20",
    "inner.query": "512",
    "evaluation.seeds": "2",
}
BACKWARD = {"additive": "", "multiplicative": "_times", "second state": "_second"}
STARTS = {
    "random": {"parameters.spread": "1.0", "parameters.backprop": "0.0"},
    "backprop": {"parameters.spread": "0.0", "parameters.backprop": "1.0"},
}
OMNIGLOT = "[{data: omniglot, name: characters, ways: 10, resize: 10}]"
TOYS = ("xor", "and", "moons", "center_circle", "small_center_circle", "pie_slice")
PAIRS = (
    *(("relu", "linear"), ("linear", "linear"), ("relu", "relu"), ("tanh", "relu"), ("tanh", "linear")),
    *(("tanh", "tanh"), ("sigmoid", "tanh"), ("sigmoid", "linear"), ("sigmoid", "sigmoid")),
)


def _networks(depths: tuple[int, ...], sides: tuple[int, ...] = (10,)) -> Settings:
    """Evaluation in networks of so many hidden populations, at so many pixels."""
    each = [
        f"{{spec: {HERE / 'paper.blur'}, network: layers, parameters: {{side: {side}, hidden: 128, depth: {depth}}}}}"
        for side in sides
        for depth in depths
    ]
    tasks = {10: "{data: mnist, name: mnist10, crop: 20, resize: 10}", 28: "{data: mnist}"}
    return {
        "evaluation.networks": f"[{', '.join(each)}]",
        "evaluation.tasks": f"[{', '.join(tasks[side] for side in sides)}]",
    }


def _variants() -> dict[str, Settings]:
    """`additive, symmetric, one, backprop start`, learned on digits and on characters."""
    found: dict[str, Settings] = {}
    for data in ("digits", "characters"):
        for back, suffix in BACKWARD.items():
            for ways in ("asymmetric", "symmetric"):
                for states in ("several", "one"):
                    for start, values in STARTS.items():
                        rule = {"rule": f"{ways}_{states}{suffix}", **values}
                        own = rule if data == "digits" else {**rule, "tasks": OMNIGLOT}
                        found[f"{back}, {ways}, {states}, {start}: {data}"] = own
    return found


FIGURES: dict[str, Figure] = {
    "4": Figure(
        asked="The two-state rule on functions of two numbers: does it carry over to others, and to MNIST?",
        paper="Over runs, mean accuracies on the functions of the search and on the others go together (curves only; "
        "no numbers in the text).",
        panels=(
            *(Curves(name, "plane", f"{name} (learned)") for name in TOYS),
            *(Curves(name, "plane", name) for name in ("blobs", "cross", "triangle")),
            Curves("mnist", "layers", "MNIST, 784-128-10"),
        ),
        experiment="toys",
        variants={"blur with two states": {}},
        runs=(8, 2),
        quick={"toys": {"method.steps": "2000", "method.rate": "0.01", "tasks_per_step": "1", "evaluation.seeds": "2"}},
    ),
    "5": Figure(
        asked="Four states and a curriculum on MNIST at 10x10: elsewhere, and against SGD (figures 5, 6 and 14)",
        paper="It converges much faster than SGD in the 50 steps of the search; after about 100 steps SGD reaches the "
        "same accuracy, and continues to grow. Digits at 10x10 pixels came out about 1 % below those at 28x28.",
        panels=(
            Trajectory("the search (figure 14)"),
            Curves("mnist", "two", "MNIST in 784-256-128-10 (figure 6)"),
            Curves("mnist", "layers", "MNIST in 784-256-10"),
            Curves("mnist", "two(first = 512, second = 256)", "MNIST in 784-512-256-10"),
            Curves("fashion-mnist", "two", "Fashion in 784-256-128-10"),
            Curves("emnist 0-9", "two", "EMNIST's classes 0 to 9"),
            Curves("emnist 10-19", "two", "EMNIST's classes 10 to 19"),
            Curves("xor", "plane_two", "xor in 2-256-128-2"),
        ),
        experiment="curriculum",
        variants={"blur with four states": {}},
        runs=(1, 1),
        quick={
            "curriculum": {
                "parameters.first": "32",
                "parameters.second": "16",
                "method.steps": "300",
                "method.rate": "0.01",
                "curriculum.every": "60",
                "curriculum.until": "30",
                "inner.batch": "64",
                "inner.query": "64",
                "replicas": "2",
                "evaluation.seeds": "1",
                "evaluation.tasks": "[{data: mnist}, {data: xor}]",
            }
        },
        measure=rates.measured,
    ),
    "7": Figure(
        asked="Evolution strategies and gradients: do their genomes decay after the steps of the search?",
        paper="CMA-ES reaches 84 % in 400 generations; its genome reaches full accuracy in 15 steps and plateaus "
        "without significant decay, as that of gradients does (best of 8 runs each).",
        panels=(Trajectory("the search"), Curves("mnist", "layers", "its genome on test digits")),
        experiment="cma",
        variants={
            "CMA-ES": {},
            "CMA-ES, with Oja's term": {"rule": "blur"},
            "gradients": {"experiment": "gradient"},
            "gradients, with Oja's term": {"experiment": "gradient", "rule": "blur"},
        },
        runs=(8, 2),
        quick={
            "cma": EVOLVED,
            "gradient": {
                "parameters.hidden": "64",
                "method.steps": "300",
                "method.rate": "0.01",
                "inner.query": "256",
                "evaluation.seeds": "2",
            },
        },
    ),
    "8": Figure(
        asked="Are activations normalized: not at all, backward, forward, or both ways?",
        paper="Genomes without normalization did not generalize as well to other resolutions and deeper networks.",
        panels=(
            Points("mnist10", 10, "10x10 pixels, as learned", along="networks", networks="layers"),
            Points("mnist", 10, "28x28 pixels", along="networks", networks="layers"),
        ),
        experiment="digits",
        variants={
            name: {"rule": rule, **_networks((1, 2, 3), (10, 28))}
            for name, rule in {
                "not normalized": "not_normalized",
                "backward only": "backward_normalized",
                "forward only": "forward_normalized",
                "both": "summed",
            }.items()
        },
        runs=(8, 2),
        quick={"digits": SMALL},
    ),
    "9": Figure(
        asked="24 variants of the rule, learned on digits or on characters (figures 9 and 17)",
        paper="Of eight combinations of synapses, channels and start, symmetric synapses with one channel, started at "
        "backpropagation, tend to win. Several channels from a random start do well, too, symmetric or not; the other "
        "five are much worse. Most of the 24 give reasonable results, and no clear pattern orders them (best of 8 "
        "runs).",
        panels=(Points("digits", 10, "asked about digits"), Points("characters", 10, "asked about characters")),
        experiment="variants",
        variants=_variants(),
        runs=(8, 1),
        quick={"variants": {**SMALL, "method.steps": "150", "evaluation.steps": "[10]"}},
        quick_variants=(
            "additive, asymmetric, several, random: digits",
            "additive, asymmetric, several, backprop: digits",
            "additive, symmetric, several, random: digits",
            "additive, symmetric, one, backprop: digits",
        ),
    ),
    "10": Figure(
        asked="Learned with 1, 2 and 4 hidden populations, run with 1 to 10",
        paper="Genomes carry over from deeper to shallower networks and not the other way: that of 2 layers works with "
        "one and diverges with 4; that of 4 layers trains 1 to 10.",
        panels=(Points("mnist10", 10, "digits at 10x10 pixels", along="networks", networks="layers"),),
        experiment="digits",
        variants={
            f"learned with {depth}": {"parameters.depth": str(depth), **_networks((1, 2, 4, 5, 10))}
            for depth in (1, 2, 4)
        },
        runs=(8, 2),
        quick={"digits": SMALL},
    ),
    "12": Figure(
        asked="Non-linearities forward and backward, by the number of states",
        paper="With two hidden populations, almost every pair can be learned; the linear network does not gain from "
        "more states, the others do.",
        panels=(Points("mnist", 10, "digits at 28x28 pixels, forward / backward", networks="layers"),),
        experiment="digits",
        variants={
            f"{ahead} / {back}: {k} states": {
                "rule": "blur_pair",
                "parameters.ahead": ahead,
                "parameters.back": back,
                "parameters.k": str(k),
                **_networks((2,), (28,)),
            }
            for k in (2, 4, 8)
            for ahead, back in PAIRS
        },
        runs=(1, 1),
        quick={"digits": {**SMALL, "method.steps": "150", "evaluation.steps": "[10]"}},
        quick_variants=(
            *("relu / linear: 2 states", "linear / linear: 2 states"),
            *("relu / relu: 2 states", "tanh / relu: 2 states"),
        ),
    ),
    "13": Figure(
        asked="How many states has a neuron?",
        paper="It suggests that merely increasing the number of states improves performance (curves only; no numbers "
        "in the text).",
        panels=(Points("mnist10", 10, "digits at 10x10 pixels"),),
        experiment="digits",
        variants={f"{k} states: median of the runs": {"parameters.k": str(k)} for k in (2, 4, 8, 16)},
        runs=(3, 1),
        quick={"digits": SMALL},
        quick_variants=tuple(f"{k} states: median of the runs" for k in (2, 4, 8)),
    ),
    "15": Figure(
        asked="Does learning go on for 700 steps, with labels shuffled at 500? (figures 15 and 16)",
        paper="Without Oja's term synapses grow exponentially, learn no more after a while, and diverge in the end. "
        "With synapse normalization and Oja's term, accuracy grows beyond the steps of the search, and the rule goes "
        "on learning.",
        panels=(
            Track("accuracy", "test digits (figure 16)", percent=True),
            Track("spread of synapses", "standard deviation of synapses", logarithmic=True),
            Track("turn of synapses", "angle by which a step turns all synapses, degrees"),
            Track("spread of states", "standard deviation of hidden states"),
        ),
        experiment="long",
        variants={
            "Oja's term": {},
            "no Oja's term": {"rule": "blur_without_oja"},
            "length 1, no Oja's term": {"rule": "blur_length"},
            "length 1, Oja's term": {"rule": "blur_length_oja"},
        },
        runs=(10, 2),
        quick={"long": EVOLVED},
        measure=spread.measured,
    ),
    "decay": Figure(
        asked="Why does the genome of specs/genomes/evolution.yaml decay? (labels are shuffled at step 500)",
        paper="Appendix C: without Oja's term synapses grow exponentially, which does not affect the accuracy until "
        "they overflow, but keeps them from learning after some time; with it, synapses saturate, and shuffled labels "
        "are felt.",
        panels=(
            Track("accuracy", "test digits", percent=True),
            Track("spread of synapses", "standard deviation of synapses", logarithmic=True),
            Track("turn of synapses", "angle by which a step turns all synapses, degrees"),
        ),
        measure=spread.decay,
    ),
    "A": Figure(
        asked="Is a learned rule steepest descent in another metric? (figure 2 and appendix A)",
        paper="Figure 2: with a hidden population of 20, the Jacobian of the 204 forward synapses is not symmetric. "
        "Appendix A, with a hidden population of 5: of 265 solutions at one w, 4 hold at 100 others, none of them "
        "positive definite, so that there is no constant metric.",
        panels=(Curves("xor", "plane", "xor, test points"), Eigenvalues("eigenvalues of the Jacobian at three w")),
        experiment="boolean",
        variants={"blur with two states": {}},
        runs=(8, 2),
        quick={"boolean": {"method.steps": "80", "method.population": "24", "evaluation.seeds": "3"}},
        measure=metric.measured,
    ),
}
