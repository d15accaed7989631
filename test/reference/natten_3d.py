"""Neighborhood attention of a video: see natten.py."""

from natten import reference, row, visible  # noqa: F401

ROW = row({"video": ((5, 6), (2, 3, 3), (1, 2, 1), (1, 1, 2), (1, 0, 0)), "cube": ((4, 4), (3, 3, 3), (1, 1, 1), (1, 1, 1), (0, 0, 0)),
           "thin": ((1, 7), (3, 2, 5), (1, 1, 1), (2, 1, 1), (0, 0, 0)), "all": ((7, 3), (4, 5, 2), (2, 2, 1), (3, 2, 2), (0, 1, 1))})
