from __future__ import annotations
def sparse_form(topology, pre, post):
    return getattr(topology,"form",None) or "gather",""
