"""Sampling design: from the frame to the students of each school, planned, drawn, explained and verifiable.

The order of work: `coverage` takes excluded schools out of the frame, `pseudo_schools` joins tiny ones,
`options.Design` says what is wanted, `frame_checks.check_frame` whether the frame can bear it,
`precision.plan_precision` how precise it will be and what it costs. `pps.draw_schools` draws schools with their
replacements (`small_schools` and `overlap` hold its rules), `draw_record` and `draw_verification` make that draw
public, `after_draw` names the replacement that is due. Inside schools `within_school` draws students, `classes` whole
classes, `staff` teachers and managers, `studies` several disjoint samples. Every choice among textbook variants
stands in ``docs/algorithms/``.
"""
