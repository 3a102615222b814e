"""Formulas in Unicode and in LaTeX."""

from __future__ import annotations

import re

from blurc.equations import formula as f
from blurc.equations.formula import Formula

GREEK = {
    name: chr(code)
    for name, code in (
        ("alpha", 0x3B1), ("beta", 0x3B2), ("gamma", 0x3B3), ("delta", 0x3B4), ("epsilon", 0x3B5), ("eps", 0x3B5),
        ("zeta", 0x3B6), ("eta", 0x3B7), ("theta", 0x3B8), ("kappa", 0x3BA), ("lambda", 0x3BB), ("mu", 0x3BC),
        ("nu", 0x3BD), ("xi", 0x3BE), ("rho", 0x3C1), ("sigma", 0x3C3), ("tau", 0x3C4), ("phi", 0x3C6),
        ("chi", 0x3C7), ("psi", 0x3C8), ("omega", 0x3C9),
    )
}  # fmt: skip
SHOWN = {"fan_in": "n_in", "fan_out": "n_out"}
BELOW = str.maketrans("ijk0123456789", "ᵢⱼₖ₀₁₂₃₄₅₆₇₈₉")
ABOVE = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


# ---------------------------------------------------------------- Unicode


def unicode(node: Formula) -> str:
    match node:
        case f.Number(text):
            return text
        case f.Symbol(name, below):
            return spelled(name) + _below(below)
        case f.Sign(text):
            return f" {text} " if text else " "
        case f.Row(parts):
            first, *rest = parts
            divided = isinstance(first, f.Fraction) and f.Sign("") in rest  # what follows is not divided by
            lead = first.text if isinstance(first, f.Sign) else f"({unicode(first)})" if divided else unicode(first)
            return lead + "".join(map(unicode, rest))
        case f.Fraction(above, below):
            product = isinstance(above, f.Row) and above.parts[1:2] == (f.Sign(""),)
            return f"{unicode(above) if product else _atom(above)} / {_atom(below)}"
        case f.Power(base, exponent):
            up = unicode(exponent)
            return _atom(base) + (up.translate(ABOVE) if up.isdigit() else f"^({up})" if " " in up else f"^{up}")
        case f.Root(of):
            return f"√{_atom(of)}"
        case f.Sum(index, over, of):
            return f"∑{_below((index,))}{f'[{over}]' if over else ''} {unicode(of)}"
        case f.Fenced(_, f.Cases() as of, _):
            return unicode(of)
        case f.Fenced(opening, of, closing):
            return f"{opening}{unicode(of)}{closing}"
        case f.Applied(function, args, prime, below):
            listed = ", ".join(map(unicode, args))
            return f"{spelled(function)}{_below((below,)) if below else ''}{'′' * prime}({listed})"
        case f.Cases(condition, then, otherwise):
            return f"({unicode(then)} if {unicode(condition)} else {unicode(otherwise)})"
        case f.Column(items):
            return f"[{', '.join(map(unicode, items))}]"


def spelled(name: str) -> str:
    return GREEK.get(name) or SHOWN.get(name, name)


def _below(indices: tuple[str, ...]) -> str:
    text = ",".join(indices) if any(len(i.rstrip("′")) > 1 for i in indices) else "".join(indices)
    if not text:
        return ""
    return (
        text.translate(BELOW) if re.fullmatch("[ijk0-9′]+", text) else f"_{text}" if text.isalpha() else f"_{{{text}}}"
    )


def _atom(node: Formula) -> str:
    text = unicode(node)
    negative = isinstance(node, f.Row) and isinstance(node.parts[-1], f.Number) and len(node.parts) == 2
    whole = isinstance(node, f.Number | f.Symbol | f.Fenced | f.Applied | f.Column | f.Root)
    return text if negative or whole else f"({text})"


# ---------------------------------------------------------------- LaTeX

LATEX_SIGNS = {
    "": r"\,", "·": r" \cdot ", "←": r" \leftarrow ", "−": "-", "≤": r" \le ", "≥": r" \ge ", "~": r" \sim ",
    "∈": r" \in ", "×": r" \times ",
}  # fmt: skip
FENCES = {"(": r"\left(", ")": r"\right)", "[": r"\left[", "]": r"\right]", "|": "|",
          "⟨": r"\left\langle ", "⟩": r" \right\rangle"}  # fmt: skip
OPERATORS = {
    "tanh": r"\tanh", "exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "min": r"\min",
    "max": r"\max", "∑": r"\sum", "𝒩": r"\mathcal{N}",
}  # fmt: skip


def latex(node: Formula) -> str:
    match node:
        case f.Number(text):
            return re.sub(r"e([-+]?)0*(\d+)$", r" \\cdot 10^{\g<1>\g<2>}", text)
        case f.Symbol(name, below):
            return latex_name(name) + (f"_{{{latex_below(below)}}}" if below else "")
        case f.Sign(text):
            return LATEX_SIGNS.get(text, f" {text} ")
        case f.Row(parts):
            return "".join(map(latex, parts))
        case f.Fraction(above, below):
            return rf"\frac{{{latex(above)}}}{{{latex(below)}}}"
        case f.Power(base, exponent):
            return f"{{{latex(base)}}}^{{{latex(exponent)}}}"
        case f.Root(of):
            return rf"\sqrt{{{latex(of)}}}"
        case f.Sum(index, over, of):
            inside = rf"{latex_below((index,))} \in \text{{{_escaped(over)}}}" if over else latex_below((index,))
            return rf"\sum_{{{inside}}} {latex(of)}"
        case f.Fenced(opening, of, closing):
            return f"{FENCES[opening]}{latex(of)}{FENCES[closing]}"
        case f.Applied(function, args, prime, below):
            name = OPERATORS.get(function) or (latex_name(function) if function in GREEK else _operator(function))
            under = rf"_{{\text{{{below}}}}}" if below == "batch" else f"_{{{below}}}" if below else ""
            return rf"{name}{under}{chr(39) * prime}\left({', '.join(map(latex, args))}\right)"
        case f.Cases(condition, then, otherwise):
            rows = rf"{latex(then)} & \text{{if }} {latex(condition)} \\ {latex(otherwise)} & \text{{otherwise}}"
            return rf"\begin{{cases}} {rows} \end{{cases}}"
        case f.Column(items):
            rows = r" \\ ".join(map(latex, items))
            return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


def latex_name(name: str) -> str:
    if name in SHOWN:
        return rf"n_{{\text{{{name.removeprefix('fan_')}}}}}"
    if name in GREEK:
        return "\\" + {"eps": "varepsilon", "epsilon": "varepsilon", "phi": "varphi"}.get(name, name)
    if name == "ℝ":
        return r"\mathbb{R}"
    return name if len(name) < 2 else rf"\mathrm{{{_escaped(name)}}}"


def latex_below(indices: tuple[str, ...]) -> str:
    letters = all(i.rstrip("′") in ("i", "j", "k") for i in indices)
    return (" " if letters else ",").join(indices).replace("′", "'").replace("_", r"\_")


def _operator(name: str) -> str:
    return rf"\operatorname{{{_escaped(name)}}}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
