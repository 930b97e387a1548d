# One page for a person: answers, figures, tables, settings and versions.
# Needs: studies/, scores.tsv, leakage.tsv, vacuity.tsv. Makes: report.html, rulegraph.svg.
