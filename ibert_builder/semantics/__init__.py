"""What a sample database is about: kinds of columns, words for its rows, named conditions and aggregates, facts about its rows.

`kinds` is the closed list of what a column can be and what each kind permits, `nouns` inflects words, `spec` and `rules` are the YAML
of a semantic model. The terms are those of semantic layers: entities, dimensions, measures and metrics as in dbt's MetricFlow,
segments as in Cube.
"""
