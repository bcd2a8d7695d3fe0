"""A release as plain files that verify offline, without this software: sh, sha256sum and ssh-keygen are enough.

``bundle.py`` collects exact bytes, ``signers.py`` makes the lines of ssh-keygen, ``steps.py`` says what is proven and
by which commands, ``pages.py`` writes them as ``VERIFY.md`` and ``verify.sh``, ``writing.py`` puts all into a directory
or a tar file. ``functions.sh`` holds what the commands call, and is printed in both.
"""

from gatewright.services.export.bundle import Bundle, collect
from gatewright.services.export.writing import write

__all__ = ["Bundle", "collect", "write"]
