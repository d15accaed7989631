"""Dilated neighborhood attention of an image: see natten.py."""

from natten import reference, row, visible  # noqa: F401

ROW = row({"2": ((9,), (3, 3), (2, 2), (1, 1), (0, 0)), "mixed": ((8,), (4, 3), (1, 3), (1, 1), (0, 0)),
           "far": ((5,), (3, 3), (7, 4), (1, 1), (0, 0)), "wide": ((7,), (7, 7), (2, 2), (1, 1), (0, 0))})
