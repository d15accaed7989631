"""Neighborhood attention of an image: see natten.py."""

from natten import reference, row, visible  # noqa: F401

ROW = row({"7": ((9,), (7, 7), (1, 1), (1, 1), (0, 0)), "even": ((8,), (4, 6), (1, 1), (1, 1), (0, 0)),
           "line": ((64,), (3, 7), (1, 1), (1, 1), (0, 0)), "column": ((1,), (5, 3), (1, 1), (1, 1), (0, 0)),
           "wide": ((5,), (21, 13), (1, 1), (1, 1), (0, 0))})
