"""Pages and parts of pages with clips and faces."""
