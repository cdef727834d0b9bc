"""Rules about the rows of a sample database, made to hold and checked.

`semantics.rules` declares them. `form` refuses a rule that does not fit the tables; `repair` changes rows until every
rule holds, with one function per rule in `moments`, `references` and `values`; `checks` compiles each rule to a query for
the rows that break it. Repairs are Python and checks are SQL, written apart, so that they test one another.
"""
