"""Former place of `leakaudit.analysis`; the modules that documents named are still found here."""
