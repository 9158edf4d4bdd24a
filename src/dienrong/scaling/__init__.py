"""Scaling: the psychometrician's studies of one subject, from responses to item review to plausible values."""
