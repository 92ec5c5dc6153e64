"""Tests of `backfill.testing`: that the laws hold of sound transforms, and that each is broken by a faulty one."""
