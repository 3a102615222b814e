"""Formulas in MathML, which browsers show without a script."""

from __future__ import annotations

from html import escape

from blurc.equations import formula as f
from blurc.equations.formula import Formula
from blurc.equations.notation import spelled


def mathml(node: Formula) -> str:
    return f'<math display="block">{_row(node)}</math>'


def _of(node: Formula) -> str:
    match node:
        case f.Number(text):
            return f"<mn>{text}</mn>"
        case f.Symbol(name, below):
            shown = _name(name)
            return f"<msub>{shown}{_below(below)}</msub>" if below else shown
        case f.Sign(text):
            return f"<mo>{escape(text)}</mo>" if text else '<mspace width="0.17em"/>'
        case f.Row(parts):
            return f"<mrow>{''.join(map(_of, parts))}</mrow>"
        case f.Fraction(above, below):
            return f"<mfrac>{_row(above)}{_row(below)}</mfrac>"
        case f.Power(base, exponent):
            return f"<msup>{_row(base)}{_row(exponent)}</msup>"
        case f.Root(of):
            return f"<msqrt>{_of(of)}</msqrt>"
        case f.Sum(index, over, of):
            inside = f"<mi>{index}</mi>" + (f"<mo>∈</mo><mtext>{escape(over)}</mtext>" if over else "")
            return f"<mrow><munder><mo>∑</mo><mrow>{inside}</mrow></munder>{_of(of)}</mrow>"
        case f.Fenced(opening, of, closing):
            return f"<mrow><mo>{opening}</mo>{_of(of)}<mo>{closing}</mo></mrow>"
        case f.Applied(function, args, prime, below):
            name = _name(function)
            name = f"<msub>{name}<mtext>{below}</mtext></msub>" if below else name
            name = f"<msup>{name}<mo>′</mo></msup>" if prime else name
            return f"<mrow>{name}<mo>(</mo>{'<mo>,</mo>'.join(map(_of, args))}<mo>)</mo></mrow>"
        case f.Cases(condition, then, otherwise):
            rows = (
                _cells(_of(then), f"<mtext>if </mtext>{_of(condition)}"),
                _cells(_of(otherwise), "<mtext>otherwise</mtext>"),
            )
            return f"<mrow><mo>{{</mo><mtable>{''.join(rows)}</mtable></mrow>"
        case f.Column(items):
            rows = "".join(_cells(_of(item)) for item in items)
            return f"<mrow><mo>(</mo><mtable>{rows}</mtable><mo>)</mo></mrow>"


def _row(node: Formula) -> str:
    return f"<mrow>{_of(node)}</mrow>"


def _name(name: str) -> str:
    return f"<mi>{escape(spelled(name))}</mi>"


def _below(indices: tuple[str, ...]) -> str:
    listed = '<mspace width="0.1em"/>'.join(f"<mi>{escape(index)}</mi>" for index in indices)
    return f"<mrow>{listed}</mrow>"


def _cells(*cells: str) -> str:
    return f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in cells)}</mtr>"
