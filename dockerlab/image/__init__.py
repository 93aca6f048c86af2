"""Images as data: names, digests, manifests, layouts on disk, and the course's own samples."""
