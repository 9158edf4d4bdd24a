"""Files that users have: CSV, Excel, Parquet, SPSS and Stata tables with their codebooks.

``files`` reads and writes whole tables, ``streams`` walks and converts large ones in bounded memory,
``codebook`` holds labels, missing codes and their checks, ``vietnamese`` knows the old character sets, and
``frames`` is where the statistics ask for columns. What each format keeps: docs/algorithms/files.md.
"""
