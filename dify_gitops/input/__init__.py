"""The input: two kinds of small YAML files, typed, with every default filled in."""
