"""What people read and make cards of: pages, articles by DOI and PDF files, as text."""
