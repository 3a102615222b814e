"""The network that an experiment names, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from blurc import model as models
from blurc.api import Net
from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.experiment.experiment import Network
from blurc.plan import plan_of
from blurc.spec import Wording, select

AS_KEYS = Wording(
    network=lambda name: f"`network: {name}`",
    genome="choose one: `rule: GENOME`",
    rule="choose a rule with the key `rule`",
)


def compiled(network: Network, elsewhere: Sequence[Path] = ()) -> Net:
    """Raises `BlurError`: the errors of the spec, or E617 if it is not the one that `hash` pins. elsewhere: specs that
    may declare the rule."""
    model, sources, warnings = select(
        network.spec,
        network=network.network,
        genome=network.rule,
        params=network.parameters,
        giver="the experiment gives",
        elsewhere=elsewhere,
        wording=AS_KEYS,
    )
    net = Net(plan_of(model), model, sources, warnings)
    if network.hash not in ("", models.model_hash(model)):
        raise _unlike(network)
    return net


def _unlike(network: Network) -> BlurError:
    message = f"`{network.spec}` no longer means what it did: its `hash` is different"
    help = "the original files are in `spec/` of the run folder; remove `hash:` to use the current ones"
    if not network.hash.startswith(models.MODEL):
        message = f"whether `{network.spec}` has changed is not known: its `hash` is of another version of blurc"
        help = "remove `hash:` to use the spec as it is"
    return BlurError(Diagnostic("E617", message, help=help))
