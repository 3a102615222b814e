"""Candidates: what they are made of, which are refused, and which are the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import blurc
from blurc.diagnostics import BlurError
from blurc.language import unparse
from blurc.symbolic import Alphabet, Space, Tree, Variation, constant, space
from blurc.symbolic.variation import without_constant

TEXT = """
genome hole {
  state   act, goal
  synapse w ~ normal(1)
  sense    { act <- input }
  forward  { act <- incoming(w * pre.act) }
  feedback { goal <- target }
  update   { w <- w }
  readout  act
}
network n uses hole { input x[3]  output y[2]  x -> y }
"""
NET = blurc.compile(TEXT)
SPACE = space(NET, ["update"], {}, ["tanh"], ["+", "-", "*"])
(ALPHABET,) = SPACE.alphabets


def leaf(text: str, alphabet: Alphabet = ALPHABET) -> Tree:
    return Tree(1 + [one.text for one in alphabet.leaves].index(text))


def of(operation: str, *args: Tree) -> Tree:
    return Tree(ALPHABET.symbol(operation), args)


A, B, W = leaf("pre.act"), leaf("post.act"), leaf("w")
C = constant(0.5)


def text(tree: Tree) -> str:
    return "\n".join(SPACE.equations((tree,)))


def marked(tree: Tree) -> int | None:
    return SPACE.fingerprint(SPACE.simplified((tree,)))


# -------------------------------------------------------------------- leaves


def leaves(phases: Sequence[str], of: str = TEXT, **given: Sequence[str]) -> dict[str, list[str]]:
    found = space(blurc.compile(of), phases, given, [], ["+"])
    return {site.name: [one.text for one in site.leaves] for site in found.sites}


def test_a_synapse_sees_its_two_ends_and_itself() -> None:
    assert leaves(["update"]) == {"w of update": ["pre.act", "pre.goal", "post.act", "post.goal", "w"]}


def test_a_neuron_sees_itself_and_sums_over_its_synapses() -> None:
    assert leaves(["forward"]) == {"act of forward": ["act", "goal", "incoming(w * pre.act)", "incoming(w * pre.goal)"]}
    assert leaves(["feedback"]) == {"goal of feedback": ["act", "goal", "target"]}


def test_entries_and_lets_are_leaves() -> None:
    more = TEXT.replace("act, goal", "act, goal, a[2]").replace("forward  {", "forward { let z = 2 * act;")
    assert leaves(["forward"], more)["act of forward"][:5] == ["act", "goal", "a[0]", "a[1]", "z"]


def test_given_leaves_take_the_place_of_all_others() -> None:
    sums = ["post.incoming(w ^ 2)", "post.act"]
    assert leaves(["update"], update=sums) == {"w of update": sums}


@pytest.mark.parametrize(
    ("phases", "given", "words"),
    [
        (["backward"], {}, "assigns nothing in a phase `backward`"),
        (["update"], {"update": ["post.acct"]}, "does not fit w of update"),
        (["update"], {"update": ["pre.act * post.act"]}, "mixes"),
        (["update"], {"update": ["pre.act }"]}, "not one expression"),
        (["update"], {"forward": ["act"]}, "does not search"),
    ],
)
def test_what_cannot_be_searched_is_refused(phases: list[str], given: dict[str, list[str]], words: str) -> None:
    with pytest.raises(BlurError) as caught:
        space(NET, phases, given, [], ["+"])
    (found,) = caught.value.diagnostics
    assert (found.code, words in found.message) == ("E613", True), found.message


# -------------------------------------------------------------------- candidates


def test_a_candidate_is_written_in_the_language() -> None:
    oja = of("*", C, of("*", B, of("-", A, of("*", W, B))))
    assert text(oja) == "update: w <- w + batch_mean(0.5 * (post.act * (pre.act - w * post.act)))"


def test_names_of_constants_are_new() -> None:
    taken = space(blurc.compile(TEXT.replace("state   act", "learn c2 = 1  state act")), ["update"], {}, [], ["*"])
    (alphabet,) = taken.alphabets
    tree = Tree(alphabet.symbol("*"), (constant(2.0), leaf("pre.act", alphabet)))
    assert "k1 * pre.act" in unparse(taken.written((tree,)))


def test_the_checker_refuses_a_function_of_a_mixture() -> None:
    assert SPACE.tables((of("tanh", of("*", A, B)),)) is None
    assert SPACE.tables((of("*", of("tanh", A), B),)) is not None


def test_what_needs_more_terms_than_there_are_does_not_fit() -> None:
    both = of("+", A, of("+", B, W))
    assert SPACE.checked((of("*", both, both),)) is not None
    assert SPACE.tables((of("*", both, both),)) is None


# -------------------------------------------------------------------- equal ones


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("*", A, B), of("*", B, A)),
        (of("*", B, of("-", A, of("*", W, B))), of("-", of("*", A, B), of("*", of("*", B, B), W))),
        (of("-", A, of("*", C, B)), of("+", A, of("*", B, constant(3.0)))),
        (of("*", C, of("*", constant(2.0), A)), of("*", C, A)),
        (of("+", A, A), of("+", of("-", A, B), of("+", B, A))),
    ],
)
def test_what_is_equal_by_algebra_has_one_mark(one: Tree, other: Tree) -> None:
    assert marked(one) == marked(other)


@pytest.mark.parametrize("other", [of("+", A, B), of("*", A, W), of("tanh", A), of("*", C, of("*", A, B))])
def test_what_differs_has_another(other: Tree) -> None:
    assert marked(of("*", A, B)) != marked(other)


def test_nothing_has_no_mark() -> None:
    assert marked(of("-", A, A)) is None


def test_constants_are_gathered() -> None:
    found = ALPHABET.simplified(of("+", constant(1.0), of("+", A, of("*", constant(2.0), constant(3.0)))))
    assert text(found) == "update: w <- w + batch_mean(7.0 + pre.act)"


# -------------------------------------------------------------------- variation


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (of("*", C, A), A),
        (of("+", C, A), A),
        (of("-", C, A), of("*", constant(-1.0), A)),
        (of("+", A, of("*", C, B)), of("+", A, B)),
        (of("+", A, of("*", constant(-2.0), of("*", B, W))), of("-", A, of("*", B, W))),
        (A, A),
    ],
)
def test_a_constant_is_left_out(one: Tree, other: Tree) -> None:
    found = ALPHABET.simplified(without_constant(ALPHABET.simplified(one), ALPHABET))
    assert text(found) == text(ALPHABET.simplified(other))


def varied(seed: int, count: int, in_space: Space = SPACE) -> list[Tree]:
    variation = Variation(in_space, 20, np.random.default_rng(seed))
    found = [variation.fresh()[0] for _ in range(10)]
    for _ in range(count):
        found.append(variation.child([(tree,) for tree in found])[0])
    return found


def test_a_seed_gives_the_same_candidates() -> None:
    assert varied(3, 40) == varied(3, 40)
    assert varied(3, 40) != varied(4, 40)


def test_rows_of_numbers_give_the_candidates_back() -> None:
    for tree in varied(5, 60):
        symbols, values = ALPHABET.row(tree, 400)
        again = ALPHABET.tree(symbols, values)
        assert ALPHABET.text(again) == ALPHABET.text(tree)
        np.testing.assert_allclose(again.constants, tree.constants, rtol=1e-6)


def test_variation_reaches_every_symbol() -> None:
    there = {part.symbol for tree in varied(6, 200) for part in tree.walk()}
    assert there == set(range(len(ALPHABET.arities)))
