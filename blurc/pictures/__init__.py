"""Pictures of networks: `layout.py` says where things stand, `draw.py` and `dot.py` write them down."""
