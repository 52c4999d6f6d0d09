"""`python -m apimachinery.schema.build`: make the type table, or find that it is up to date."""

import sys

from apimachinery.schema import builder

if __name__ == "__main__":
    sys.stdout.write("type table built\n" if builder.build() else "type table is up to date\n")
