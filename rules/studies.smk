# Scores to answers: each study tests its hypotheses, gives a verdict and draws its figures.
# Needs: scores/, languages.tsv and, as far as there are, fertility/, corpus.tsv and what one study alone reads.
# Makes: studies/<study>/, studies/verdicts.tsv; similarity.tsv, by the only job here that needs a model.


rule collect_study_scores:
    """The scores that one study reads, so that it needs no other's."""
    input:
        lambda w: STUDY_JOBS.scores(w.study),
    output:
        f"{RUN}/studies/{{study}}/scores.tsv",
    log:
        f"{RUN}/logs/studies/{{study}}/collect_scores.log",
    wildcard_constraints:
        study=JOBS.any_of(list(PLAN.studies)),
    params:
        code=code_hash("scripts/collect_scores.py"),
    message:
        "collect the scores of {wildcards.study}"
    shell:
        "python scripts/collect_scores.py {input:q} --output {output:q} 2> >(tee {log:q} >&2)"


rule collect_study_incidents:
    """What went wrong in the trainings behind the scores that one study reads."""
    input:
        checkpoints=lambda w: JOBS.trained(PLAN.study_cells(w.study)),
        examples=lambda w: JOBS.trained_on(PLAN.study_cells(w.study)),
    output:
        f"{RUN}/studies/{{study}}/incidents.tsv",
    log:
        f"{RUN}/logs/studies/{{study}}/collect_incidents.log",
    wildcard_constraints:
        study=JOBS.any_of(list(PLAN.studies)),
    params:
        code=JOBS.incidents_code,
        data=lambda w: f"{RUN}/data/training",
    message:
        "look for collapsed runs among those of {wildcards.study}"
    shell:
        "python scripts/collect_incidents.py {input.checkpoints:q} --data {params.data} --output {output:q}"
        " 2> >(tee {log:q} >&2)"


for study in PLAN.studies:

    rule:
        name:
            f"analyse_{study}"
        input:
            scores=f"{RUN}/studies/{study}/scores.tsv",
            languages=f"{RUN}/languages.tsv",
            fertility=STUDY_JOBS.fertility(study),
            corpus=STUDY_JOBS.corpus(study),
            extra=STUDY_JOBS.additional(study),
            incidents=STUDY_JOBS.incidents(study),
        output:
            tests=report(
                f"{RUN}/studies/{study}/tests.tsv",
                caption="../docs/captions/tests.rst",
                category=f"Study {study}",
                labels={"table": "tests"},
            ),
            verdict=f"{RUN}/studies/{study}/verdict.json",
        log:
            f"{RUN}/logs/studies/analyse_{study}.log",
        benchmark:
            f"{RUN}/benchmarks/studies/analyse_{study}.tsv"
        params:
            code=STUDY_JOBS.code("analyse", "analysis", study),
            study=study,
            settings=STUDY_JOBS.settings(study),
            tables=STUDY_JOBS.options(study),
            incidents="--incidents" if STUDY_JOBS.incidents(study) else "",
        message:
            "analyse {params.study}"
        shell:
            "python -m xstilts.warm --studies scripts/analyse_study.py --study {params.study} --scores {input.scores:q} --languages {input.languages:q}"
            " {params.tables} {params.incidents} {input.incidents:q} --settings {params.settings:q}"
            " --tests {output.tests:q} --verdict {output.verdict:q} 2> >(tee {log:q} >&2)"

    rule:
        name:
            f"plot_{study}"
        input:
            scores=f"{RUN}/studies/{study}/scores.tsv",
            languages=f"{RUN}/languages.tsv",
            fertility=STUDY_JOBS.fertility(study),
            corpus=STUDY_JOBS.corpus(study),
            extra=STUDY_JOBS.additional(study),
            tests=f"{RUN}/studies/{study}/tests.tsv",
        output:
            [
                (
                    report(
                        file,
                        caption=f"../docs/captions/{study}_{Path(file).stem}.rst",
                        category=f"Study {study}",
                        labels={"figure": Path(file).stem.replace("_", " ")},
                    )
                    if file.endswith(".svg")
                    else file
                )
                for file in STUDY_JOBS.figures(study)
            ],
        log:
            f"{RUN}/logs/studies/plot_{study}.log",
        benchmark:
            f"{RUN}/benchmarks/studies/plot_{study}.tsv"
        params:
            code=STUDY_JOBS.code("plot", "figures", study),
            study=study,
            settings=STUDY_JOBS.settings(study),
            tables=STUDY_JOBS.options(study),
            note=STUDY_JOBS.miniature_note,
            folder=subpath(output[0], parent=True),
        message:
            "draw the figures of {params.study}"
        shell:
            "python -m xstilts.warm --studies scripts/plot_study.py --study {params.study} --scores {input.scores:q} --languages {input.languages:q}"
            " {params.tables} --tests {input.tests:q}"
            " --settings {params.settings:q} --note={params.note:q} --output-dir {params.folder}"
            " 2> >(tee {log:q} >&2)"


rule collect_verdicts:
    """The verdicts of all studies, their primary tests corrected over one another."""
    input:
        STUDY_JOBS.decisions,
    output:
        report(
            f"{RUN}/studies/verdicts.tsv",
            caption="../docs/captions/verdicts.rst",
            category="Studies",
            labels={"table": "verdicts"},
        ),
    log:
        f"{RUN}/logs/studies/collect_verdicts.log",
    benchmark:
        f"{RUN}/benchmarks/studies/collect_verdicts.tsv"
    params:
        code=code_hash("scripts/collect_verdicts.py"),
        folder=subpath(output[0], parent=True),
        studies=list(PLAN.studies),
        settings=JOBS.json(PLAN.settings.statistics),
    message:
        "collect the verdicts of all studies"
    shell:
        "python -m xstilts.warm --studies scripts/collect_verdicts.py {params.studies} --folder {params.folder:q}"
        " --settings {params.settings:q} --output {output:q} 2> >(tee {log:q} >&2)"


if PLAN.compares_tasks:

    localrules:
        fetch_sentence_encoder,

    rule fetch_sentence_encoder:
        """Fetch a sentence-transformers model of the hub at a fixed commit, as published."""
        output:
            directory(f"{RUN}/source/sentence_encoder"),
        log:
            f"{RUN}/logs/fetch_sentence_encoder.log",
        params:
            code=code_hash("scripts/fetch_sentence_encoder.py"),
            repository=STUDY_JOBS.encoder.repository or "",
            revision=STUDY_JOBS.encoder.revision or "",
            state=f"{RUN}/state/fetch/sentence_encoder",
        message:
            "fetch the sentence encoder from the hub"
        shell:
            'HF_HUB_OFFLINE="$XSTILTS_OFFLINE" python scripts/fetch_sentence_encoder.py --repository {params.repository:q}'
            " --revision {params.revision} --state {params.state:q} --output {output:q} 2> >(tee {log:q} >&2)"

    rule compare_tasks:
        """Semantic similarity of the intermediate and the target tasks, by their English examples."""
        input:
            encoder=STUDY_JOBS.sentence_encoder,
            training=[f"{RUN}/data/training/{task}/train.jsonl" for task in STUDY_JOBS.compared_training],
            evaluation=[
                folder for task in STUDY_JOBS.compared_evaluation for folder in JOBS.evaluation_inputs(task)
            ],
        output:
            f"{RUN}/similarity.tsv",
        log:
            f"{RUN}/logs/compare_tasks.log",
        benchmark:
            f"{RUN}/benchmarks/compare_tasks.tsv"
        threads: STUDY_JOBS.comparison_threads
        resources:
            mem_mb=1500,
        params:
            code=STUDY_JOBS.comparison_code,
            comparison=STUDY_JOBS.comparison,
            weights=STUDY_JOBS.encoder_hash,
            locks=[JOBS.evaluation_locks(task) for task in STUDY_JOBS.compared_evaluation],
            training=lambda w, input: Path(input.training[0]).parents[1],
            threads=STUDY_JOBS.comparison_threads,
            device=PLAN.run.device,
        message:
            "compare the tasks by their English examples"
        shell:
            'encoder={input.encoder:q}; python -m xstilts.warm scripts/compare_tasks.py --encoder "${{encoder:-$XSTILTS_SENTENCE_ENCODER}}"'
            " --comparison {params.comparison:q} --training {params.training:q}"
            ' --root "$XSTILTS_SOURCE" --lock "$XSTILTS_LOCK"'
            " --threads {params.threads} --device {params.device} --output {output:q} 2> >(tee {log:q} >&2)"
