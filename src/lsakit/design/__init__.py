"""Sampling design: frame checks, strata, allocation, the school draw, the student draw, booklets.

The order of work: `options.Design` says what is wanted, `frame_checks.check_frame` whether the frame can
bear it, `pps.draw_schools` draws schools with their replacements, `within_school.select_students` draws
students and deals booklets. Every choice among textbook variants stands in ``docs/algorithms/``.
"""
