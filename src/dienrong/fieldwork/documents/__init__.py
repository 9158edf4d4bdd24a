"""What is printed and saved: letters, forms, labels, the report; each is drawn as PDF, Word or Excel."""
