"""The offline Docker Hub: plays docker.io for a real Docker Engine, as its registry mirror."""
