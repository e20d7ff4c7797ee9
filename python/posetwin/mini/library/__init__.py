"""Tables of named postures, one file per kind."""
