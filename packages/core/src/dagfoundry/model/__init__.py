"""The model: YAML that a team writes, checked and located."""
