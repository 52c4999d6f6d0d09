"""What tests share: a small API, builders of objects, faults, waiting."""
