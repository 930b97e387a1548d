# One page for a person: answers, figures, tables, settings and versions.
# Needs: studies/, all tables of the run, the rules themselves. Makes: report.html, rulegraph.svg.

from xstilts.fingerprint import ROOT, text_hash
from xstilts.report import template_text

RULES = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
# Where this machine keeps its files changes no page.
PATHS = {
    "data": {"mirror"},
    "models": {"__all__": {"folder"}},
    "studies": {"similarity": {"encoder": {"folder"}}},
}


rule draw_rulegraph:
    """Draw the rules that this configuration needs, and which reads what another makes."""
    output:
        report(
            f"{RUN}/rulegraph.svg",
            caption="../docs/captions/rulegraph.rst",
            category="How it was made",
            labels={"figure": "graph of rules"},
        ),
    log:
        f"{RUN}/logs/draw_rulegraph.log",
    benchmark:
        f"{RUN}/benchmarks/draw_rulegraph.tsv"
    params:
        code=code_hash("scripts/draw_rulegraph.py"),
        rules=text_hash("".join(path.read_text(encoding="utf-8") for path in RULES)),
        # What decides which rules are needed; any other setting leaves the graph as it is.
        parts=[PLAN.settings.data.source, *JOBS.pretrained_models, *JOBS.tasks, *PLAN.run.studies]
        + [STUDY_JOBS.encoder.source],
    message:
        "draw the graph of rules"
    shell:
        "python scripts/draw_rulegraph.py --output {output:q} 2> >(tee {log:q} >&2)"


rule build_report:
    """The page: what was asked, what was found, how sure it is, and how it was made."""
    input:
        scores=f"{RUN}/scores.tsv",
        languages=f"{RUN}/languages.tsv",
        corpus=JOBS.corpus_sizes,
        fertility=[JOBS.fertility_file(model) for model in PLAN.run.models[:1]],
        leakage=f"{RUN}/leakage.tsv",
        vacuity=f"{RUN}/vacuity.tsv",
        rulegraph=f"{RUN}/rulegraph.svg",
        studies=[
            file
            for study in PLAN.studies
            for file in STUDY_JOBS.files(study)
            if file.endswith((".tsv", ".json", ".svg"))
        ],
    output:
        f"{RUN}/report.html",
    log:
        f"{RUN}/logs/build_report.log",
    benchmark:
        f"{RUN}/benchmarks/build_report.tsv"
    params:
        code=code_hash("scripts/build_report.py"),
        template=text_hash(template_text()),
        settings=JOBS.json(PLAN.settings.model_dump(exclude=PATHS)),
        corpus=JOBS.corpus_option,
    message:
        "build the report of {PLAN.run.name}"
    shell:
        "python scripts/build_report.py --scores {input.scores:q} --languages {input.languages:q}"
        " --fertility {input.fertility:q} {params.corpus} --leakage {input.leakage:q}"
        " --vacuity {input.vacuity:q} --rulegraph {input.rulegraph:q} --settings {params.settings:q}"
        " --output {output:q} {input.studies:q} 2> >(tee {log:q} >&2)"


rule write_results:
    """The results as a page of Markdown, as docs/results-<run>.md shows them."""
    input:
        report=f"{RUN}/report.html",
        checkpoints=[JOBS.checkpoint(*checkpoint) for checkpoint in PLAN.checkpoints],
    output:
        f"{RUN}/results.md",
    log:
        f"{RUN}/logs/write_results.log",
    params:
        code=code_hash("scripts/write_results.py"),
        settings=JOBS.json(PLAN.settings.model_dump(exclude=PATHS)),
        folder=subpath(output[0], parent=True),
    message:
        "write the results of {PLAN.run.name} as a page"
    shell:
        "python scripts/write_results.py --results {params.folder} --checkpoints '{input.checkpoints}'"
        " --settings {params.settings:q} --output {output:q} 2> >(tee {log:q} >&2)"
