"""Search methods behind one interface, one per file.

    state = method.init(genomes)                    # genomes: a pytree with leading axis [replicas]
    candidates = method.ask(state, key)             # the same with an axis [candidates]
    state = method.tell(state, candidates, costs, feedback)

`feedback.gradients` is there where `method.wants` is `"gradients"`. States are pytrees of arrays, so that they can be
kept in a checkpoint; functions are pure.
"""
