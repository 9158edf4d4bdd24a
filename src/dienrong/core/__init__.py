"""Base models, clock, Vietnamese text, the shell of every page; no words of the assessment itself."""
