"""The probe: a quick baseline model, its losses per sample, and the attribution of the loss gap to causes."""
