"""What Python runs of a bundle."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036  # the translations need it too
    sys.exit(
        "এই কোর্সের জন্যে Python 3.10 বা তার নতুন কোনো ভার্সন লাগবে।\n"
        "This course needs Python 3.10 or newer."
    )

from dockerlab.bundle.setup import main

main(sys.argv[0], sys.argv[1:])
