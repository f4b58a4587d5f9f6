"""Bringing corpora to their roots: the registry, downloads, git-lfs, archives, mirrors, licence gates."""
