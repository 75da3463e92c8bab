"""The project's LightningModule and its callbacks."""
