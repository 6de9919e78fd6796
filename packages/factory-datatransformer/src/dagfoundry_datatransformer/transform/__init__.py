"""Makes a transformer's outputs, inside one transaction of the merge store."""
