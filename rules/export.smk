# The run's tables for further analysis, in forms that any program reads.
# Needs: scores.tsv, outcomes/, studies/<study>/tests.tsv. Makes: export/.


rule export_tables:
    """Scores, outcomes per example and tests as Parquet and TSV, with a data dictionary."""
    input:
        scores=f"{RUN}/scores.tsv",
        outcomes=JOBS.outcome_files,
        tests=[STUDY_JOBS.decision(study)["tests"] for study in PLAN.studies],
    output:
        f"{RUN}/export/scores.parquet",
        f"{RUN}/export/scores.tsv",
        f"{RUN}/export/outcomes.parquet",
        f"{RUN}/export/outcomes.tsv.gz",
        f"{RUN}/export/tests.parquet",
        f"{RUN}/export/tests.tsv",
        dictionary=f"{RUN}/export/data_dictionary.tsv",
    log:
        f"{RUN}/logs/export_tables.log",
    params:
        code=code_hash("scripts/export_tables.py"),
        # The folder, since thousands of paths are more than a command line holds.
        outcomes=lambda w, input: (
            "" if PLAN.scores_are_given else f"--outcomes {Path(input.scores).with_name('outcomes')}"
        ),
        folder=subpath(output.dictionary, parent=True),
    message:
        "export scores, outcomes and tests"
    shell:
        "python scripts/export_tables.py --scores {input.scores:q} {params.outcomes}"
        " --output {params.folder} {input.tests:q} 2> >(tee {log:q} >&2)"
