"""Strided (generalized) neighborhood attention of an image: see natten.py."""

from natten import reference, row, visible  # noqa: F401

ROW = row({"2x4": ((9,), (4, 6), (1, 1), (2, 4), (0, 0)), "blocked": ((8,), (4, 4), (1, 1), (4, 4), (0, 0)),
           "odd": ((10,), (5, 3), (1, 1), (3, 2), (0, 0)), "dilated": ((11,), (4, 3), (2, 1), (2, 3), (0, 0))})
