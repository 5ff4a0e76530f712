"""Whether two splits were drawn alike, by column, by class, by a model."""
