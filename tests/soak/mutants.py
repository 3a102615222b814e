"""Texts and bytes with mistakes nobody thought of, as a slip of the hand, another tool or an attacker makes them.

A mutant is drawn from a `random.Random`, so its seed gives it again."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

TOKEN = re.compile(r"\s+|\w+|\"[^\"\n]*\"|->|\.\.|.", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?")

EXTREMES = (
    "0", "-1", "1", "2", "3.5", "1e308", "1e-320", "1e999", "2147483647", "2147483648", "4294967296", "1" + "0" * 18,
    "9" * 400, "1_000", "0x10", "nan", "inf", "-0.0", "00", "1.", ".5", "1e", "1e5",
)  # fmt: skip
FRAGMENTS = (
    "", " ", "\n", "\r\n", "\r", "\t", "\0", "\ufeff", "\u2028", "\u00a0", "é", "λ", "𝟙", "\ud7ff", "'", '"', "`", "\\",
    "{", "}", "(", ")", "[", "]", "{" * 40, "(" * 200, "[" * 200, "->", "<-", "..", "...", ";", ",", ":", "=", "==",
    "#", "//", "/*", "%", "@", "&a ", "*a", "!!python/object:os.system ", "---\n", "- ", "? ", "| ", "> ", "<<: ",
    "~ zeros", "per synapse", "learn", "synapse", "update", "incoming(", "batch_mean(", "if", "for i in 1..3 {",
    "for i in 1..1000000000 {", "repeat 1000000000 {", "import \"/dev/zero\"\n", "import \"..\"\n",
    "edges(\"/dev/zero\")", "edges(\"/etc/passwd\")", "sparse(fan_in = 900000)", "sparse(p = 1e-9)",
    "delay = 1000000000", "[1000000, 1000000]", "null", "true", "{}", "[]", "2024-99-99", "/dev/zero", "/etc/passwd",
    "../../..", "extends backprop", "genome b extends a { }", "kind = a", "{ kind = a }", "of hidden", "of a", "[a](",
    "incoming[a](", "{ tau = 20 }", "{ tau = 1e999 }", "running_mean(", "running_var(", "standardize(z, running)",
    "slope x", "fn f(x) = f(x)", "fn f(x, y) = x + y slope y", "per example", "per population", "per projection",
    "const c = 1 per population", "projection_mean(", "population_max(", "uniform(0, 1)", "post.incoming(",
    "forward a {", "a ", "repeat 3 {", "persistent", "if kind", "where(", "softmax(", " > ", "@", ".T", "x -> y -> x",
)  # fmt: skip

Mutate = Callable[[str, random.Random, Sequence[str]], str]


def mutant(seeds: Sequence[str], rng: random.Random) -> str:
    """One of `seeds` after one to six mutations."""
    text = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = rng.choice(MUTATIONS)(text, rng, seeds)
    return text


def mutant_bytes(data: bytes, rng: random.Random) -> bytes:
    """With some bytes flipped, or a piece cut out, repeated or overwritten."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        a = rng.randrange(len(changed) + 1)
        b = min(len(changed), a + rng.choice((1, 2, 4, 64, len(data))))
        match rng.randrange(4):
            case 0:
                changed[a:b] = b""
            case 1:
                changed[a:a] = changed[a:b]
            case 2:
                changed[a:b] = rng.choice((b"\xff", b"\0")) * (b - a)
            case _:
                changed[a:b] = bytes(byte ^ 1 << rng.randrange(8) for byte in changed[a:b])
    return bytes(changed)


def _tokens(text: str, rng: random.Random, act: Callable[[list[str], int], None]) -> str:
    tokens = TOKEN.findall(text)
    if tokens:
        act(tokens, rng.randrange(len(tokens)))
    return "".join(tokens)


def drop(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    def act(tokens: list[str], at: int) -> None:
        del tokens[at : at + rng.choice((1, 1, 1, 2, 5, 20))]

    return _tokens(text, rng, act)


def double(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    def act(tokens: list[str], at: int) -> None:
        part = tokens[at : at + rng.choice((1, 1, 3, 10))]
        tokens[at:at] = part * rng.choice((1, 1, 2, 30))

    return _tokens(text, rng, act)


def swap(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    def act(tokens: list[str], at: int) -> None:
        other = rng.randrange(len(tokens))
        tokens[at], tokens[other] = tokens[other], tokens[at]

    return _tokens(text, rng, act)


def replace_token(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    def act(tokens: list[str], at: int) -> None:
        tokens[at] = rng.choice((rng.choice(FRAGMENTS), rng.choice(TOKEN.findall(rng.choice(seeds)) or [""])))

    return _tokens(text, rng, act)


def insert(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(FRAGMENTS) + text[at:]


def extreme_number(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    found = list(NUMBER.finditer(text))
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + rng.choice(EXTREMES) + text[match.end() :]


def misspell(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def drop_lines(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines) + 1)
    del lines[at : at + rng.choice((1, 1, 2, 5))]
    return "".join(lines)


def splice(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    """Lines of another text between those of this one."""
    lines, other = text.splitlines(keepends=True), rng.choice(seeds).splitlines(keepends=True)
    at, start = rng.randrange(len(lines) + 1), rng.randrange(len(other) + 1)
    return "".join([*lines[:at], *other[start : start + rng.choice((1, 2, 5, 20))], *lines[at:]])


def cut(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    return text[: rng.randrange(len(text) + 1)]


def other_line_ends(text: str, rng: random.Random, seeds: Sequence[str]) -> str:
    return text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\u2028", " ")))


MUTATIONS: tuple[Mutate, ...] = (
    drop, double, swap, replace_token, replace_token, insert, insert, extreme_number, extreme_number, misspell,
    drop_lines, splice, cut, other_line_ends,
)  # fmt: skip
