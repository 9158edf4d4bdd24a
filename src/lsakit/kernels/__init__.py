"""Compiled array functions: numbers in, numbers out, nothing known of the rooms above.

Each kernel states the shapes it reads and is tested against plain arithmetic; formulas and references stand in
docs/algorithms/ of the method that uses it. BLAS is not used here, and no kernel starts threads.
"""
