"""The figures of the paper (arXiv:2104.04657), measured anew on two cores.

    python examples/paper.py                     # which figures there are
    python examples/paper.py 10                  # overnight; writes figure-10.json and figure-10.svg into runs/paper
    python examples/paper.py 10 --quick          # in minutes, with smaller networks and shorter searches
    python examples/paper.py 10 --set method.steps=50 -o elsewhere
    python examples/paper.py page                # docs/PAPER.md and its figures, from the results in docs/paper/

What was begun before in the same folder goes on from its checkpoint. Other settings than it was begun with need another
folder (-o), and it says so. MNIST and Omniglot are found as `blurc` finds them: the folder in BLURC_DATA, or the cache.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from paper.figure import Task
from paper.figures import FIGURES
from paper.learned import learned

from blurc.diagnostics import BlurError
from blurc.guards import check_package


def main() -> None:
    args = _arguments()
    if not args.figure:
        print("\n".join(_titles()))
        return
    try:
        check_package("matplotlib", "drawings need")
        written = _page() if args.figure == "page" else measure(args)
    except BlurError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        raise SystemExit(130) from None
    print(f"wrote {written}")


def _titles() -> list[str]:
    page_of = "docs/PAPER.md and its figures, from the results in docs/paper/"
    return [*(f"{name:6} {figure.asked}" for name, figure in FIGURES.items()), f"{'page':6} {page_of}"]


def _page() -> Path:
    from paper import page  # which needs matplotlib: the help does not

    return page.write()


def measure(args: argparse.Namespace) -> Path:
    """Measures a figure; the JSON of its results and its drawing are written side by side."""
    from paper import draw

    figure = FIGURES[args.figure]
    print(figure.asked)
    settings = dict(item.partition("=")[::2] for item in args.set)
    folder = args.out / ("quick" if args.quick else "runs") / args.figure
    task = Task(args.quick, args.runs or figure.runs[args.quick], settings, folder)
    found = (figure.measure or learned)(figure, task)
    command = " ".join(["python examples/paper.py", args.figure, *_given(args)])
    results = {"figure": args.figure, "command": command, "quick": args.quick, **found}
    place = args.out / f"figure-{args.figure}.json"
    place.write_text(json.dumps(results) + "\n", encoding="utf-8")
    place.with_suffix(".svg").write_bytes(draw.drawn(figure, results))
    return place


def _given(args: argparse.Namespace) -> list[str]:
    """The options that decide what comes out."""
    runs = [f"--runs {args.runs}"] if args.runs else []
    return [*(["--quick"] if args.quick else []), *runs, *(f"--set {item}" for item in args.set)]


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a positive integer, not `{text}`")
    return int(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measures a figure of the paper anew.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(["figures:", *_titles()]),
    )
    names = [*FIGURES, "page"]
    parser.add_argument(
        "figure", nargs="?", choices=names, metavar="FIGURE", help="one of those below; none: list them"
    )
    parser.add_argument("--quick", action="store_true", help="small networks and short searches: minutes")
    parser.add_argument("--runs", type=_positive, help="searches for each variant, from other random genomes")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="in every variant")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/paper"), help="where to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
