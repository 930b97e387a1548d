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


rule collect_costs:
    """Run time of every step, as far as its jobs have run here, and what every training cost."""
    input:
        JOBS.score_files,
        STUDY_JOBS.all_files,
        checkpoints=JOBS.checkpoint_folders,
    output:
        costs=report(
            f"{RUN}/costs.tsv",
            caption="../docs/captions/costs.rst",
            category="How it was made",
            labels={"table": "run time and cost"},
        ),
        training=f"{RUN}/training_costs.tsv",
    log:
        f"{RUN}/logs/collect_costs.log",
    params:
        code=code_hash("scripts/collect_costs.py"),
        benchmarks=f"{RUN}/benchmarks",
    message:
        "add up the run time of every step"
    shell:
        "python scripts/collect_costs.py {input.checkpoints:q} --benchmarks {params.benchmarks}"
        " --output {output.costs:q} --training {output.training:q} 2> >(tee {log:q} >&2)"


rule build_report:
    """The page: what was asked, what was found, how sure it is, and how it was made."""
    input:
        f"{RUN}/scores.tsv",
        f"{RUN}/languages.tsv",
        f"{RUN}/rulegraph.svg",
        f"{RUN}/costs.tsv",
        STUDY_JOBS.reported,
        JOBS.reported,
    output:
        f"{RUN}/report.html",
    log:
        f"{RUN}/logs/build_report.log",
    benchmark:
        f"{RUN}/benchmarks/build_report.tsv"
    params:
        code=STUDY_JOBS.report_code,
        template=text_hash(template_text()),
        settings=JOBS.json(PLAN.settings.model_dump(exclude=PATHS)),
        studies=STUDY_JOBS.all_settings,
        folder=subpath(output[0], parent=True),
    message:
        "build the report of {PLAN.run.name}"
    shell:
        "python scripts/build_report.py {input:q} --results {params.folder} --settings {params.settings:q}"
        " --studies {params.studies:q} --output {output:q} 2> >(tee {log:q} >&2)"


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
