"""Objectives, and the methods that search by them: one contract for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import equal

from blurc.meta.experiment.experiment import Cma, Gradient, Pes
from blurc.meta.run import checkpoint
from blurc.meta.search.episode import Feedback
from blurc.meta.search.methods.make import make
from blurc.meta.search.methods.method import Method
from blurc.meta.search.methods.pes import PesMethod
from blurc.tasks import OBJECTIVES

pytestmark = pytest.mark.usefixtures("compiled_fast")


def test_a_loss_is_minimised() -> None:
    costs = OBJECTIVES["cross_entropy"].costs(jnp.asarray([0.3, 0.7]))
    assert costs[0] < costs[1]


def test_a_score_is_maximised() -> None:
    costs = OBJECTIVES["accuracy"].costs(jnp.asarray([0.3, 0.7]))
    assert costs[0] > costs[1]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_costs_are_values_again_in_natural_units(name: str) -> None:
    values = jnp.asarray([0.25, 0.5])
    assert equal(OBJECTIVES[name].natural(OBJECTIVES[name].costs(values)), values)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_costs_infinitely_much(name: str, value: float) -> None:
    assert OBJECTIVES[name].costs(jnp.asarray([value])) == jnp.inf


def test_accuracy_is_the_share_of_hits() -> None:
    outputs = jnp.asarray([[0.1, 0.2], [3.0, 0.0], [0.0, 5.0], [1.0, 2.0]])
    assert OBJECTIVES["accuracy"].score(outputs, jax.nn.one_hot(jnp.asarray([1, 0, 0, 1]), 2)) == 0.75


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_outputs_that_are_not_finite_have_no_accuracy(bad: float) -> None:
    outputs = jnp.asarray([[0.1, bad], [3.0, 0.0]])
    assert jnp.isnan(OBJECTIVES["accuracy"].score(outputs, jax.nn.one_hot(jnp.asarray([1, 0]), 2)))


# ------------------------------------------------------------------- methods

TABLE = {
    "gradient": Gradient(rate=0.05),
    "cma": Cma(population=8, sigma=0.3),
    "pes": Pes(population=16, sigma=0.05, truncation=1, rate=0.05),
}
GENOMES = {"a": jnp.asarray([[1.0, -2.0, 0.5]]), "b": {"x->y": jnp.asarray([3.0])}}
every_method = pytest.mark.parametrize("method", [make(c, 1) for c in TABLE.values()], ids=list(TABLE))


def squares(genome: Any) -> jax.Array:
    return sum(((x - 1) ** 2).sum() for x in jax.tree.leaves(genome))  # type: ignore[return-value]


slopes = jax.jit(jax.vmap(jax.value_and_grad(squares)))


def feedback(candidates: Any, bad: int | None = None) -> Feedback:
    values, gradients = slopes(candidates)
    if bad is not None:
        values = values.at[bad].set(jnp.nan)
        gradients = jax.tree.map(lambda g: g.at[bad].set(jnp.nan), gradients)
    return Feedback(values, jnp.isfinite(values), values[:, None], gradients)


def told(method: Method, state: Any, number: int, bad: int | None = None) -> Any:
    if isinstance(method, PesMethod):
        state = method.begun(state)
    candidates = method.ask(state, jax.random.key(number))
    found = feedback(candidates, bad)
    return method.tell(state, candidates, OBJECTIVES["cross_entropy"].costs(found.values), found)


@every_method
def test_a_method_finds_the_bottom_of_a_bowl(method: Method) -> None:
    state = method.init(GENOMES)
    for number in range(100):
        state = told(method, state, number)
    (found,) = jax.vmap(squares)(method.genomes(state))
    assert found < 0.05 < jax.vmap(squares)(GENOMES)[0]


@every_method
def test_candidates_are_genomes_with_a_leading_axis(method: Method) -> None:
    candidates = method.ask(method.init(GENOMES), jax.random.key(0))
    count = getattr(getattr(method, "choice"), "population", 1)  # noqa: B009 - not of the protocol
    assert candidates["a"].shape == (count, 3)
    assert candidates["b"]["x->y"].shape == (count,)
    assert candidates["a"].dtype == GENOMES["a"].dtype


@every_method
def test_the_same_state_and_key_give_the_same_candidates(method: Method) -> None:
    before = told(method, method.init(GENOMES), 0)
    asked = method.ask(before, jax.random.key(5))
    told(method, told(method, before, 1), 2)
    assert equal(method.ask(before, jax.random.key(5)), asked)


@every_method
def test_a_state_comes_from_what_was_told_alone(method: Method) -> None:
    """Told on two ways, and back on the first: nothing of the other is left."""
    fresh = make(getattr(method, "choice"), 1)  # noqa: B009
    start = method.init(GENOMES)
    one, other = told(method, start, 0), told(method, start, 0, bad=0)
    method.ask(other, jax.random.key(1))
    after, expected = told(method, one, 1), told(fresh, told(fresh, fresh.init(GENOMES), 0), 1)
    assert equal(method.genomes(after), fresh.genomes(expected))


@every_method
def test_a_state_survives_a_checkpoint(method: Method) -> None:
    state = told(method, method.init(GENOMES), 0)
    checkpoint.save(Path("c.npz"), state, {})
    loaded = checkpoint.load(Path("c.npz"), method.init(GENOMES))
    assert equal(told(method, loaded, 1), told(method, state, 1))


@every_method
def test_a_candidate_that_is_lost_breaks_nothing(method: Method) -> None:
    state = told(method, method.init(GENOMES), 0, bad=0)
    state = told(method, state, 1)
    for leaf in jax.tree.leaves((method.genomes(state), method.ask(state, jax.random.key(2)))):
        assert np.isfinite(leaf).all()


@every_method
def test_a_replaced_genome_is_searched_from(method: Method) -> None:
    others = jax.tree.map(lambda x: x + 7, GENOMES)
    state = method.replaced(told(method, method.init(GENOMES), 0), others, jnp.asarray([True]))
    assert equal(method.genomes(state), others)


def test_cma_that_begins_again_draws_other_candidates() -> None:
    """Though it begins at the same genome; and each time others."""
    method = make(Cma(population=4), 0)
    states = [method.init(GENOMES)]
    for _ in range(2):
        states.append(method.replaced(states[-1], GENOMES, jnp.asarray([True])))
    asked = [method.ask(state, jax.random.key(0))["a"].tolist() for state in states]
    assert asked[0] != asked[1] != asked[2] != asked[0]
    assert method.ask(states[0], jax.random.key(0))["a"].tolist() == asked[0]


def test_the_gradient_of_a_lost_replica_is_dropped() -> None:
    method = make(Gradient(rate=0.1), 0)
    start = method.init(jax.tree.map(lambda x: jnp.concatenate([x, x]), GENOMES))
    after = told(method, start, 0, bad=1)
    first, second = (jax.tree.map(lambda x, i=i: x[i], after) for i in range(2))
    assert equal(second, jax.tree.map(lambda x: x[1], start))
    assert not equal(first, jax.tree.map(lambda x: x[0], start))


def test_a_gradient_is_clipped() -> None:
    """Adam forgets a common factor, but a clipped gradient is small against those before."""
    method = make(Gradient(rate=0.1, clip=1e-3), 0)
    state = method.init(GENOMES)
    moment = method.tell(state, GENOMES, OBJECTIVES["cross_entropy"].costs(jnp.ones(1)), feedback(GENOMES))
    norm = jnp.sqrt(sum((x**2).sum() for x in jax.tree.leaves(moment.optimizer[1][0].mu)))
    np.testing.assert_allclose(norm, 0.1 * 1e-3, rtol=1e-5)


def test_a_decaying_rate_is_zero_in_the_end() -> None:
    method = make(Gradient(rate=0.1, steps=3, decay=True), 0)
    state = method.init(GENOMES)
    for number in range(3):
        before, state = state, told(method, state, number)
        assert not equal(method.genomes(state), method.genomes(before))
    assert equal(method.genomes(told(method, state, 3)), method.genomes(state))


def test_lost_candidates_rank_last() -> None:
    """As if they cost more than all others, however much that is."""
    told_inf, told_more = (
        make(Cma(population=4), 0).tell(make(Cma(population=4), 0).init(GENOMES), None, costs, None)  # type: ignore[arg-type]
        for costs in (jnp.asarray([2e30, jnp.inf, 1.0, 0.0]), jnp.asarray([2e30, 3e30, 1.0, 0.0]))
    )
    key = jax.random.key(0)
    assert equal(make(Cma(population=4), 0).ask(told_inf, key), make(Cma(population=4), 0).ask(told_more, key))


def test_cma_is_a_function_of_its_seed() -> None:
    asked = [make(Cma(population=4), s).ask(make(Cma(), s).init(GENOMES), jax.random.key(0)) for s in (1, 1, 2)]
    assert equal(asked[0], asked[1])
    assert not equal(asked[0], asked[2])


def test_cma_leaves_the_random_state_of_numpy_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    method = make(Cma(population=4), 0)
    told(method, method.init(GENOMES), 0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_pes_sees_how_earlier_pieces_bear_on_later_ones() -> None:
    """A sum that every piece adds the parameter to: after three pieces its slope is 3, of which evolution in single
    pieces would see 1."""
    method = PesMethod(Pes(population=40_000, sigma=0.1))
    state = method.begun(method.init({"a": jnp.zeros((1, 1))}))
    sums = jnp.zeros(40_000)
    for number in range(3):
        candidates = method.ask(state, jax.random.key(number))
        sums = sums + candidates["a"][:, 0]
        summed = state.summed + candidates["a"][:20_000] - state.mean["a"]
        slope = method._gradient(summed, *jnp.split(sums, 2))
        state = state._replace(summed=summed)
    assert slope == pytest.approx(3.0, rel=0.05)


def test_pairs_come_in_opposite_directions() -> None:
    method = PesMethod(Pes(population=6))
    up, down = jnp.split(method.ask(method.init(GENOMES), jax.random.key(0))["a"], 2)
    np.testing.assert_allclose((up + down) / 2, jnp.broadcast_to(GENOMES["a"], (3, 3)), atol=1e-6)


def test_a_pair_of_which_one_is_lost_is_left_out() -> None:
    method = PesMethod(Pes(sigma=1.0))
    summed = jnp.asarray([[1.0], [5.0]])
    one = method._gradient(summed[:1], jnp.asarray([3.0]), jnp.asarray([1.0]))
    both = method._gradient(summed, jnp.asarray([3.0, 9.0]), jnp.asarray([1.0, jnp.inf]))
    assert equal(one, both)


def test_pes_drops_a_gradient_that_overflows() -> None:
    method = PesMethod(Pes(population=2))
    state = method.init(GENOMES)
    candidates = method.ask(state, jax.random.key(0))
    after = method.tell(state, candidates, jnp.asarray([3e38, 0.0]), None)  # type: ignore[arg-type]
    assert equal((after.mean, after.optimizer), (state.mean, state.optimizer))
