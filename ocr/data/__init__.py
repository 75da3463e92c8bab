"""Receipts: annotations, synthetic pages, transforms, target maps, loaders."""
