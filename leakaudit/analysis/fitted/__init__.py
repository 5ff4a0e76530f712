"""Which rows a step of preprocessing was fitted on."""
