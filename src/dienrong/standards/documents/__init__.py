"""Papers of a session: slips with links and PINs, the booklet, forms to fill in by hand, the tables of the report."""
