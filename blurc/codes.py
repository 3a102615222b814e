"""The catalogue of diagnostics: every code that blurc can print, with what it is about.

A code keeps its meaning for good: tools and people search for it. Tests hold this page against the sources, and
against the manual.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "E1": "files and syntax",
        "E2": "names, shapes and values",
        "E3": "locality and separability",
        "E4": "networks",
        "W5": "warnings",
        "E6": "genome files",
        "E7": "artifacts",
        "E8": "data",
        "E9": "calls and runs",
    }
)

CODES: Mapping[str, str] = MappingProxyType(
    {
        # ------------------------------------------------ files and syntax
        "E101": "text that is not grammatical",
        "E102": "a character that is not part of the language",
        "E103": "a file that cannot be read",
        "E104": "an import cycle",
        "E105": "a file that is not UTF-8 text",
        "E106": "something declared, named or given twice",
        # ------------------------------------------------ names, shapes and values
        "E201": "an unknown name",
        "E202": "no function, or a function without its argument",
        "E203": "shapes that do not fit",
        "E204": "a wrong number of arguments",
        "E205": "an index out of range, or one too many",
        "E206": "no compile-time number, or one that is not possible here",
        "E207": "an unknown scope of a meta-parameter",
        "E208": "a missing or impossible start value",
        "E209": "an assignment to what a phase cannot change",
        "E210": "an unknown parameter",
        "E211": "an unknown genome or network",
        "E212": "a genome without a readout",
        "E213": "a name that has a meaning of its own",
        "E214": "the derivative of a function that has none",
        "E215": "no network or no genome to compile, or several networks",
        # ------------------------------------------------ locality and separability
        "E301": "`pre` or `post` where it cannot be seen",
        "E302": "a neuron's value that does not say whose it is",
        "E303": "a synapse's value in the scope of a neuron",
        "E304": "`input` or `target` where it is not known",
        "E305": "a value of one example, assigned to a synapse",
        "E306": "a mixture that cannot be taken apart",
        "E307": "a sum over synapses inside another",
        "E308": "a batch reducer outside `update`, or inside a sum or a reducer",
        "E309": "a function of a population or batch where there is none",
        "E310": "a meta-parameter `per projection` in the scope of a neuron",
        "E311": "`fan_in` or `fan_out` in the scope of a neuron",
        # ------------------------------------------------ networks
        "E401": "an unknown population",
        "E403": "a cycle of projections",
        "E404": "a population that no input reaches",
        "E405": "a projection into an input, or with the unit neuron",
        "E406": "a network without inputs or outputs",
        "E407": "a wrong option of a population",
        "E408": "a wrong attribute of a projection",
        "E409": "something that this version does not have yet",
        "E410": "attributes of a projection that contradict each other",
        # ------------------------------------------------ warnings
        "W501": "something that is never used",
        "W502": "a state that is never assigned",
        "W503": "a population that leads to no output",
        "W504": "a genome that never reads its input",
        "W505": "a file that declares nothing",
        # ------------------------------------------------ genome files
        "E601": "a genome file that cannot be read",
        "E602": "a file that is not plain YAML",
        "E603": "a YAML alias",
        "E604": "a key that stands twice",
        "E605": "a value of the wrong kind",
        "E606": "a missing key",
        "E607": "an unknown key",
        "E608": "a meta-parameter that is no number, vector or matrix",
        "E609": "a meta-parameter that is not finite",
        "E610": "notes that a genome file cannot hold",
        "E611": "a genome file that cannot be written",
        # ------------------------------------------------ artifacts
        "E701": "an artifact that cannot be read",
        "E702": "no artifact, or a damaged one",
        "E703": "an unsafe member of an artifact",
        "E704": "an artifact that is too large",
        "E705": "members that are missing, or that nothing asks for",
        "E706": "a member that has changed since it was saved",
        "E707": "an artifact of another format version",
        "E708": "a manifest that makes no sense",
        "E709": "a compiled function that JAX cannot read",
        "E710": "an artifact for other platforms",
        "E711": "an artifact in another floating-point mode",
        "E712": "a random key that an artifact cannot use",
        "E714": "an artifact that cannot be written",
        "E715": "an unknown platform, or none",
        "E716": "a derivative of an artifact",
        "E717": "an artifact called with no examples or steps",
        # ------------------------------------------------ data
        "E801": "an unknown data set",
        "E802": "a data file that is missing or cannot be read",
        "E803": "a damaged or wrong data file",
        "E804": "wrong contents of an .npz file",
        "E805": "a download that failed, or whose checksum is wrong",
        "E806": "a batch, steps, chunk or seed out of range",
        "E807": "data that do not fit the network",
        # ------------------------------------------------ calls and runs
        "E901": "x or y of the wrong shape",
        "E902": "a genome that does not fit",
        "E903": "a missing batch size",
        "E904": "a state that does not fit",
        "E905": "training that left the finite numbers",
        "E906": "what is no random key",
        "E907": "a result that cannot be written",
        "E908": "a program that the device could not run",
    }
)
