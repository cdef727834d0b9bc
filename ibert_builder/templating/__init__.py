"""Templates and phrases: frames with slots, what is drawn for the slots, and how it reads in Ibis, SQL and English.

Import `load_templates` and `bind` from `templates`, `Sampler` and `NoFit` from `sampler`, `render_frame` from `values`,
`layout` from `layout`.
"""
