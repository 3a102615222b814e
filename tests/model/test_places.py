"""How many places the populations of a network have, by what is connected to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from blurc.model import places
from blurc.spec import select_model

GENOME = (
    "genome g { state a  synapse w ~ zeros  sense { a <- input }  forward { a <- incoming(w * pre.a) }  readout a }"
)


def found(network: str) -> dict[str, int]:
    return places(select_model(f"{GENOME}\nnetwork n uses g {{ {network} }}").network)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("input x[4, 6]  output y[3]  x -> y", {"x": 1, "y": 1}),
        ("input x[4, 6]  output y[2, 3, 5]  x -> y [conv(3, 3, stride = 2)]", {"x": 24, "y": 6}),
        ("input x[4, 2]  output y[2, 2]  x -> y [pool(avg, 2)]", {"x": 4, "y": 2}),
        ("input x[4, 4]  output y[4, 4]  output z[4, 4]  x -> y [conv(3, 3)]  y -> z [conv(3)]", {"y": 4, "z": 4}),
        ("input x[4]  output y[4, 3]  x -> y [conv(3)]  y -> y [dense, delay = 1]", {"y": 4}),
    ],
)
def test_the_axes_that_windows_slide_over_are_places(network: str, expected: dict[str, int]) -> None:
    assert found(network).items() >= expected.items()


def test_what_is_connected_neuron_by_neuron_has_the_same_places() -> None:
    network = """
      input x[2, 2]  hidden h[2, 2, 3]  hidden i[2, 2, 3]  hidden j[2, 2, 3]  hidden k[4, 3]  output y[2, 2, 3]
      x -> h [conv(1, 1)]  h -> i [identity]  i -> j [one_to_one]  h -> k [identity]  j -> y
    """
    assert found(network).items() >= {"h": 4, "i": 4, "j": 4, "k": 1, "y": 1}.items()


def test_the_places_of_networks_of_the_library() -> None:
    conv = places(select_model(Path("networks/mnist_conv.blur")).network)
    assert conv.items() >= {"pixels": 784, "strokes": 196, "parts": 196, "largest": 49, "class": 1}.items()
    residual = places(select_model(Path("networks/mnist_residual.blur")).network)
    assert [residual[name] for name in ("stem", "pooled", "r2.inside", "r2.y", "class")] == [196, 49, 49, 49, 1]
