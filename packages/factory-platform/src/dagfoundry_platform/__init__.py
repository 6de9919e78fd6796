"""The DAG Foundry factory type that ingests streams into a merge store."""
