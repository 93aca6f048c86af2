"""The distribution protocol: a client on one side, a server on the other."""
