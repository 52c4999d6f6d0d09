"""Tags of pages that show the past."""
