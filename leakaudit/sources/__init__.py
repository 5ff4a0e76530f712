"""Where data come from; `leakaudit.sources.layouts` knows all layouts."""
