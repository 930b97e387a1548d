# Predictions to scores: a table per checkpoint and task, an outcome per example, and one table of all.
# Needs: predictions, the evaluation data. Makes: scores/, outcomes/, scores.tsv.


rule score_predictions:
    """Score one task of one checkpoint, language by language."""
    input:
        predictions=lambda w: JOBS.predictions(w.model, w.recipe, w.seed, w.task),
        data=lambda w: JOBS.evaluation_inputs(w.task),
    output:
        scores=f"{RUN}/scores/{{model}}/{{recipe}}/seed{{seed}}/{{task}}.tsv",
        outcomes=f"{RUN}/outcomes/{{model}}/{{recipe}}/seed{{seed}}/{{task}}.parquet",
    log:
        f"{RUN}/logs/scores/{{model}}/{{recipe}}/seed{{seed}}/{{task}}.log",
    benchmark:
        f"{RUN}/benchmarks/scores/{{model}}/{{recipe}}/seed{{seed}}/{{task}}.tsv"
    params:
        code=lambda w: JOBS.scoring_code(w.task),
        entry=lambda w: JOBS.scoring_entry(w.task),
        languages=lambda w: " ".join(PLAN.languages(w.task)),
        locks=lambda w: JOBS.evaluation_locks(w.task),
        source=lambda w: JOBS.source_options(w.task),
        folder=lambda w, input: Path(input.predictions[0]).parent,
        key=lambda w: JOBS.score_key(w.model, w.recipe, w.seed, w.task),
    message:
        "score {wildcards.task} of {wildcards.model}/{wildcards.recipe}, seed {wildcards.seed}"
    shell:
        "python -m xstilts.warm --studies scripts/score_predictions.py"
        " --predictions {params.folder:q}"
        " --task {wildcards.task} --entry {params.entry:q} --languages {params.languages:q}"
        " {params.source} --key {params.key:q} --scores {output.scores:q}"
        " --outcomes {output.outcomes:q} 2> >(tee {log:q} >&2)"


rule score_controls:
    """Chance and character n-gram TF-IDF, beside every score of retrieval of any kind."""
    input:
        data=lambda w: JOBS.evaluation_inputs(w.task),
    output:
        f"{RUN}/scores/controls/{{task}}.tsv",
    log:
        f"{RUN}/logs/scores/controls/{{task}}.log",
    benchmark:
        f"{RUN}/benchmarks/scores/controls/{{task}}.tsv"
    wildcard_constraints:
        task=JOBS.any_of(PLAN.controlled_tasks),
    params:
        code=lambda w: JOBS.controls_code(w.task),
        entry=lambda w: JOBS.scoring_entry(w.task),
        languages=lambda w: " ".join(PLAN.languages(w.task)),
        locks=lambda w: JOBS.evaluation_locks(w.task),
        source=lambda w: JOBS.source_options(w.task),
        run=PLAN.run.name,
        settings=JOBS.json(PLAN.settings.retrieval),
    message:
        "score the controls of {wildcards.task}"
    shell:
        "python scripts/score_controls.py --task {wildcards.task} --entry {params.entry:q}"
        " --languages {params.languages:q} {params.source} --run {params.run}"
        " --settings {params.settings:q} --scores {output:q} 2> >(tee {log:q} >&2)"


rule score_equal_pools:
    """The primary cell of the typology study with candidate pools of equal size, averaged over draws."""
    input:
        checkpoint=f"{RUN}/checkpoints/{{model}}/{{recipe}}/seed{{seed}}",
        data=lambda w: JOBS.evaluation_inputs(w.task),
    output:
        f"{RUN}/scores/equal_pools/{{model}}/{{recipe}}/seed{{seed}}/{{task}}.tsv",
    log:
        f"{RUN}/logs/scores/equal_pools/{{model}}/{{recipe}}/seed{{seed}}/{{task}}.log",
    benchmark:
        f"{RUN}/benchmarks/scores/equal_pools/{{model}}/{{recipe}}/seed{{seed}}/{{task}}.tsv"
    wildcard_constraints:
        task=JOBS.any_of(PLAN.retrieval_tasks),
    threads: lambda w: JOBS.threads(w.model, w.recipe)
    resources:
        mem_mb=1500,
    params:
        code=JOBS.equal_pools_code,
        entry=lambda w: JOBS.prediction_entry(w.task),
        languages=lambda w: " ".join(PLAN.languages(w.task)),
        locks=lambda w: JOBS.evaluation_locks(w.task),
        source=lambda w: JOBS.source_options(w.task),
        settings=lambda w: JOBS.prediction_settings(w.model, w.recipe, w.task),
        size=PLAN.settings.studies.typology.pool_size,
        draws=PLAN.settings.studies.typology.pool_draws,
        key=lambda w: JOBS.score_key(w.model, w.recipe, w.seed, w.task),
        threads=lambda w: JOBS.threads(w.model, w.recipe),
        device=PLAN.run.device,
    message:
        "score {wildcards.task} of {wildcards.model}/{wildcards.recipe}, seed {wildcards.seed}, with equal pools"
    shell:
        "python -m xstilts.warm scripts/score_equal_pools.py --checkpoint {input.checkpoint:q} --task {wildcards.task}"
        " --entry {params.entry:q} --languages {params.languages:q} {params.source}"
        " --settings {params.settings:q} --size {params.size} --draws {params.draws}"
        " --key {params.key:q} --threads {params.threads} --device {params.device}"
        " --scores {output:q} 2> >(tee {log:q} >&2)"


rule score_sweep:
    """Retrieval or mining by a masked LM with every hidden state and pooling, apart from the scores."""
    input:
        checkpoint=lambda w: JOBS.checkpoint(w.model, "mlm", 0),
        data=lambda w: JOBS.evaluation_inputs(w.task),
    output:
        f"{RUN}/sweeps/{{model}}/{{task}}.tsv",
    log:
        f"{RUN}/logs/sweeps/{{model}}/{{task}}.log",
    benchmark:
        f"{RUN}/benchmarks/sweeps/{{model}}/{{task}}.tsv"
    wildcard_constraints:
        task=JOBS.any_of(PLAN.headless_tasks),
    threads: lambda w: JOBS.threads(w.model, "mlm")
    resources:
        mem_mb=3000,
    params:
        code=lambda w: JOBS.sweep_code(w.task),
        entry=lambda w: JOBS.scoring_entry(w.task),
        languages=lambda w: " ".join(PLAN.languages(w.task)),
        locks=lambda w: JOBS.evaluation_locks(w.task),
        source=lambda w: JOBS.source_options(w.task),
        settings=lambda w: JOBS.prediction_settings(w.model, "mlm", w.task),
        key=lambda w: JOBS.sweep_key(w.model),
        threads=lambda w: JOBS.threads(w.model, "mlm"),
        device=PLAN.run.device,
    message:
        "sweep the layers and poolings of {wildcards.model}/mlm on {wildcards.task}"
    shell:
        "python -m xstilts.warm scripts/score_sweep.py --checkpoint {input.checkpoint:q} --task {wildcards.task}"
        " --entry {params.entry:q} --languages {params.languages:q} {params.source}"
        " --settings {params.settings:q} --key {params.key:q}"
        " --threads {params.threads} --device {params.device} --scores {output:q}"
        " 2> >(tee {log:q} >&2)"


if PLAN.scores_are_given:

    rule import_scores:
        """All scores in one table, from published ones."""
        output:
            f"{RUN}/scores.tsv",
        log:
            f"{RUN}/logs/import_scores.log",
        params:
            code=code_hash("scripts/import_scores.py"),
            checksum=JOBS.published_checksum,
            run=PLAN.run.name,
        message:
            "read the published scores"
        shell:
            'python scripts/import_scores.py --table "$XSTILTS_SCORES" --run {params.run} --output {output:q}'
            " 2> >(tee {log:q} >&2)"

else:

    rule collect_scores:
        """All scores of the run in one table."""
        input:
            JOBS.score_files,
        output:
            f"{RUN}/scores.tsv",
        log:
            f"{RUN}/logs/collect_scores.log",
        params:
            code=code_hash("scripts/collect_scores.py"),
        message:
            "collect all scores"
        shell:
            "python scripts/collect_scores.py {input:q} --output {output:q} 2> >(tee {log:q} >&2)"


rule check_vacuity:
    """Has the run learnt anything? Encoders against untrained ones, heads against constant answers."""
    input:
        scores=f"{RUN}/scores.tsv",
        languages=f"{RUN}/languages.tsv",
        checkpoints=[JOBS.checkpoint(*checkpoint) for checkpoint in PLAN.single_tasks],
        examples=JOBS.single_task_examples,
    output:
        report(
            f"{RUN}/vacuity.tsv",
            caption="../docs/captions/vacuity.rst",
            category="Checks",
            labels={"table": "has the run learnt anything?"},
        ),
    log:
        f"{RUN}/logs/check_vacuity.log",
    params:
        code=JOBS.vacuity_code,
        tasks=[recipe for _, recipe, _ in PLAN.single_tasks],
        labels=JOBS.single_task_entries,
        data=lambda w: f"{RUN}/data/training",
    message:
        "compare encoders and heads with their untrained and constant baselines"
    shell:
        "python scripts/check_vacuity.py --scores {input.scores:q} --languages {input.languages:q}"
        " --checkpoints '{input.checkpoints}' --data {params.data} --entries {params.labels:q}"
        " --output {output:q} 2> >(tee {log:q} >&2)"
