"""Released data files: freeze, disclosure control, public and restricted files, requests for them."""
