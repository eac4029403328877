"""`sunlot-draw-v1`: a draw of sites and teams that anyone can recompute from its bundle.

Everything here is pure, needs the standard library alone and reads through openers, so that a stranger can
lift the folder out and check a draw with it. The format is described in `docs/reference/draw-format.md`.
"""
