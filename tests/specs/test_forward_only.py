"""Rules without a pass back. One claim a test."""

from __future__ import annotations

import numpy as np
from rules import KEY, accuracy_on_digits, drawn

import blurc
from blurc import tasks

# ---------------------------------------------------------------- PEPITA


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_a_step_of_pepita_is_algorithm_1_of_the_paper():
    text = """network n { input x[4]  hidden h[6] { bias = off }  output y[3] { phi = linear  bias = off }
                x -> h -> y  x -> y [backward, fixed, label = F] }"""
    net, rng = blurc.compile(text, genome="pepita", rate=0.1, modulation=0.5), np.random.default_rng(1)
    state, x, y = drawn(net), rng.normal(size=(8, 4)), np.eye(3)[rng.integers(3, size=8)]
    after, _ = net.step(net.init_genome(KEY), state, x, y)
    w1, w2, f = (np.asarray(state.synapses[name]["w"]) for name in ("x->h", "h->y", "F"))
    first = np.maximum(x @ w1, 0)
    e = softmax(first @ w2) - y
    modulated = x + 0.5 * e @ f.T
    second = np.maximum(modulated @ w1, 0)
    w1_after = w1 - 0.1 * modulated.T @ (first - second) / 8
    np.testing.assert_allclose(after.synapses["x->h"]["w"], w1_after, atol=1e-6)
    np.testing.assert_allclose(after.synapses["h->y"]["w"], w2 - 0.1 * second.T @ e / 8, atol=1e-6)
    np.testing.assert_array_equal(after.synapses["F"]["w"], f)


def test_pepita_trains_a_hidden_population_that_is_too_small_to_be_left_as_it_was_drawn():
    learned, drawn_ = (
        accuracy_on_digits(blurc.compile("networks/pepita.blur", hidden=16, rate=0.3, modulation=m), 600)
        for m in (0.3, 0)
    )
    assert learned > 0.85
    assert drawn_ < 0.75


# ---------------------------------------------------------------- Forward-Forward


def shown(pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pictures with a label each."""
    return np.concatenate([pictures.reshape(*labels.shape[:-1], -1), labels], -1)


def test_forward_forward_finds_out_which_labels_are_right():
    """It is shown digits with their labels, and the same digits with others."""
    text = "network n { input x[74]  output h1[100]  output h2[100]  x -> h1 -> h2 }"
    net, data, rng = blurc.compile(text, genome="forward_forward"), tasks.load("digits"), np.random.default_rng(0)
    pictures, labels = (np.asarray(a) for a in tasks.batches(data, 64, 500, seed=0))
    wrong = np.eye(10)[(labels.argmax(-1) + rng.integers(1, 10, labels.shape[:2])) % 10]
    steps = np.concatenate([shown(pictures, labels), shown(pictures, wrong)], axis=1)
    real = np.tile(np.repeat([1.0, 0.0], 64), (500, 1))
    genome = net.init_genome(KEY)
    state, _ = net.train(genome, net.init(KEY, genome), steps, signals={"real": real})

    def goodness(label: int) -> np.ndarray:  # [examples, populations]
        each = np.broadcast_to(np.eye(10)[label], (len(data.x_test), 10))
        out = net.predict(genome, state, shown(np.asarray(data.x_test), each), signals={"real": np.ones(len(each))})
        return np.stack([np.asarray(out[name]).mean(-1) for name in ("h1", "h2")], -1)

    right, examples = np.asarray(data.y_test).argmax(-1), np.arange(len(data.x_test))
    found = np.stack([goodness(label) for label in range(10)])
    assert (found.sum(-1).argmax(0) == right).mean() > 0.9
    assert (found[right, examples] > 1).mean(0).min() > 0.85  # 1 is the threshold
    assert (found[(right + 3) % 10, examples] < 1).mean(0).min() > 0.6
