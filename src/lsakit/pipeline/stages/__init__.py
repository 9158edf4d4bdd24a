"""The stages of a cycle, one module each: tables and parameters in, tables and parameters out."""
