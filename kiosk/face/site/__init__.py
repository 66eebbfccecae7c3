"""How good the comparison is with the people of a place: folders of pictures, scores, error rates, thresholds, report.

Tools for a site's own machine, not part of the terminal's run. Needs the extra `site` (SciPy, Matplotlib).
"""
