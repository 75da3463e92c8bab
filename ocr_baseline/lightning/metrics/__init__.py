"""The `performance/*` metrics, logged at each epoch's end."""
