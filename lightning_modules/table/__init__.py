"""A learner of your own from a LightningModule and a table: see docs/how-to/your-model.md."""
