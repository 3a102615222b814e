"""What `blurc meta` and `blurc bench` need of a run besides its results."""

from blurc.meta import report
from blurc.meta.experiment.schema import changes
from blurc.meta.processes.processes import ALONE
from blurc.meta.report.contents import REPORT, Rule
from blurc.meta.report.contents import check as check_run
from blurc.meta.report.contents import rules as found_rules
from blurc.meta.report.wording import sparse_rule_of as sparse_rule
from blurc.meta.run.best import TRIALS
from blurc.meta.run.compiling import compiled
from blurc.meta.run.dividing import most_devices
from blurc.meta.run.finishing import check, evaluated
from blurc.meta.run.folder import CHECKPOINT, EXPERIMENT, GENOME, is_of_run
from blurc.meta.run.mode import mode
from blurc.meta.run.pinned import resolved
from blurc.meta.run.setup import Setup, setup
from blurc.meta.run.step import meta_step, start
from blurc.meta.search.episode import Drawn, Judge

__all__ = [
    "ALONE",
    "CHECKPOINT",
    "EXPERIMENT",
    "GENOME",
    "REPORT",
    "TRIALS",
    "Drawn",
    "Judge",
    "Rule",
    "Setup",
    "changes",
    "check",
    "check_run",
    "compiled",
    "evaluated",
    "found_rules",
    "is_of_run",
    "meta_step",
    "mode",
    "most_devices",
    "report",
    "resolved",
    "setup",
    "sparse_rule",
    "start",
]
