"""Writes `syntaxes/blur.tmLanguage.json`, the colours of `.blur` files, from `blur.lark` and the list of functions."""

from __future__ import annotations

import json
import re
from pathlib import Path

from blurc.language import functions
from blurc.language.packaged import grammar_path

TARGET = Path(__file__).with_name("syntaxes") / "blur.tmLanguage.json"
NAME = r"[A-Za-z_]\w*"

# What follows a keyword where it is one: keywords are not reserved, so a state may be called `input`.
FOLLOWED = {
    rf"\s+{NAME}": "genome network block uses extends state signal synapse learn const fn per of let "
    "input hidden output for",
    rf"\s*(?:\{{|(?:{NAME}\s*)?(?:of\s+{NAME}\s*)?\{{)": "sense forward feedback backward update",
    r"\s+[^\s<={]": "repeat readout slope in ids",
    r'\s+"': "import",
    r"\s*(?:[,;#}]|$)": "persistent",
}
SCOPES = {
    "keyword.control.blur": "sense forward feedback backward update repeat readout for in",
    "storage.type.blur": "genome network block state signal synapse learn const fn input hidden output let",
}
SUMS = (*functions.TOTALS, *functions.RUNNING, *functions.REDUCERS)


def terminal(name: str) -> str:
    """The pattern of a terminal of the grammar."""
    (found,) = re.findall(rf"^{name}(?:\.-?\d+)?: /(.*)/$", grammar_path().read_text(encoding="utf-8"), re.MULTILINE)
    return found


def keywords() -> set[str]:
    return set(re.findall(r'^[A-Z]+: "([a-z]+)"', grammar_path().read_text(encoding="utf-8"), re.MULTILINE))


def grammar() -> dict[str, object]:
    patterns: list[dict[str, object]] = [
        {"name": "comment.line.number-sign.blur", "match": terminal("COMMENT")},
        {"name": "string.quoted.double.blur", "match": terminal("STRING")},
    ]
    for follows, words in FOLLOWED.items():
        for word in words.split():
            scope = next((scope for scope, named in SCOPES.items() if word in named.split()), "keyword.other.blur")
            patterns.append({"name": scope, "match": rf"(?<![\w.])({word})(?={follows})"})
    patterns += [
        {"name": "support.function.sum.blur", "match": rf"\b({'|'.join(SUMS)})\b(?=\s*[(\[])"},
        {"name": "support.function.blur", "match": rf"\b({'|'.join(functions.ALL)})\b(?='?\s*\()"},
        {"name": "support.function.blur", "match": rf"\b({'|'.join(functions.UNARY)})\b(?=\s*[,;}}#]|\s*$)"},
        {
            "name": "variable.language.blur",
            "match": rf"\b(pre|post)\b(?=\s*\.)|\b(input|target|{'|'.join(functions.PROJECTION_NUMBERS)})\b",
        },
        {"name": "constant.numeric.blur", "match": rf"(?<![\w.]){terminal('NUMBER')}"},
        {"name": "keyword.operator.assignment.blur", "match": "<-|->|~"},
        {"name": "keyword.operator.blur", "match": r"\.\.|[-+*/@^=]|[<>]=?"},
    ]
    return {"name": "blur", "scopeName": "source.blur", "patterns": patterns}


def written() -> str:
    return json.dumps(grammar(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
