"""The whole course in one file, for a machine without internet: `python3 FILE` installs it.

    (one line of text)       all that Python shows of half a file
    __main__.py              what Python runs
    dockerlab/…              as much of the package as installing needs, and its words
    MANIFEST.json            the course's version, its targets and images, each file's digest
    wheels/NAME.whl          the packages, each once for all targets that can use it
    images/NAME.tar          images for a Docker Engine, as docker save writes them

The modules that travel along (`manifest.TRAVELLERS`) use the standard library alone.
"""
