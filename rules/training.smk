# Recipes to checkpoints: every stage is one job on top of the checkpoint without its last stage.
# Needs: checkpoints of `mlm`, prepared training data (and text, for continued masked LM).
# Makes: checkpoints/<model>/<recipe>/seed<k>/; incidents.tsv, training.tsv and learning_curves/ of all of them.


rule train_stage:
    """Train the last stage of a recipe."""
    input:
        checkpoint=lambda w: JOBS.checkpoint(w.model, JOBS.prefix(w.recipe), w.seed),
        train=lambda w: JOBS.training_files(w.recipe, "train"),
        dev=lambda w: JOBS.training_files(w.recipe, "dev"),
        corpus=lambda w: JOBS.mixed_text(w.recipe),
    output:
        directory(f"{RUN}/checkpoints/{{model}}/{{recipe}}/seed{{seed}}"),
    log:
        f"{RUN}/logs/checkpoints/{{model}}/{{recipe}}/seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/checkpoints/{{model}}/{{recipe}}/seed{{seed}}.tsv"
    wildcard_constraints:
        recipe=JOBS.any_of(JOBS.trained_recipes),
    threads: lambda w: JOBS.threads(w.model, w.recipe) * JOBS.processes(w.model, w.recipe)
    resources:
        mem_mb=1500,
    params:
        code=lambda w: JOBS.stage_code(w.recipe),
        settings=lambda w: JOBS.stage_settings(w.model, w.recipe),
        threads=lambda w: JOBS.threads(w.model, w.recipe),
        device=PLAN.run.device,
        precision=PLAN.run.precision,
        trainer=lambda w: JOBS.trainer(w.model, w.recipe),
        sharding=lambda w: JOBS.sharding_option(w.model, w.recipe),
        state=f"{RUN}/state/checkpoints/{{model}}/{{recipe}}/seed{{seed}}",
        data=lambda w, input: Path(input.train[0]).parents[1],
        corpus=lambda w, input: "--corpus" if input.corpus else "",
    message:
        "train {wildcards.model} on {wildcards.recipe}, seed {wildcards.seed}"
    shell:
        "{params.trainer} scripts/train_stage.py --checkpoint {input.checkpoint:q} --data {params.data}"
        " {params.corpus} {input.corpus:q}"
        " --model {wildcards.model} --recipe {wildcards.recipe} --seed {wildcards.seed}"
        " --settings {params.settings:q} --threads {params.threads} --device {params.device}"
        " --precision {params.precision} {params.sharding} --state {params.state:q} --code {params.code}"
        " --output {output:q} 2> >(tee {log:q} >&2)"


rule continue_pretraining:
    """Train the last stage of a recipe that is continued masked LM alone, on the run's text."""
    input:
        checkpoint=lambda w: JOBS.checkpoint(w.model, JOBS.prefix(w.recipe), w.seed),
        corpus=f"{RUN}/data/corpus",
    output:
        directory(f"{RUN}/checkpoints/{{model}}/{{recipe}}/seed{{seed}}"),
    log:
        f"{RUN}/logs/checkpoints/{{model}}/{{recipe}}/seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/checkpoints/{{model}}/{{recipe}}/seed{{seed}}.tsv"
    wildcard_constraints:
        recipe=JOBS.any_of(JOBS.continued_recipes),
    threads: lambda w: JOBS.threads(w.model, w.recipe) * JOBS.processes(w.model, w.recipe)
    resources:
        mem_mb=2500,
    params:
        code=code_hash("scripts/pretrain_model.py"),
        settings=lambda w: JOBS.pretraining_settings(w.model, w.recipe),
        threads=lambda w: JOBS.threads(w.model, w.recipe),
        device=PLAN.run.device,
        precision=PLAN.run.precision,
        trainer=lambda w: JOBS.trainer(w.model, w.recipe),
        sharding=lambda w: JOBS.sharding_option(w.model, w.recipe),
        state=f"{RUN}/state/checkpoints/{{model}}/{{recipe}}/seed{{seed}}",
    message:
        "continue the masked LM of {wildcards.model} as {wildcards.recipe}, seed {wildcards.seed}"
    shell:
        "{params.trainer} scripts/pretrain_model.py --checkpoint {input.checkpoint:q}"
        " --corpus {input.corpus:q} --model {wildcards.model} --recipe {wildcards.recipe}"
        " --seed {wildcards.seed} --settings {params.settings:q} --threads {params.threads}"
        " --device {params.device} --precision {params.precision} {params.sharding} --state {params.state:q}"
        " --code {params.code} --output {output:q} 2> >(tee {log:q} >&2)"


rule collect_incidents:
    """What went wrong in the trainings of the run: models that collapsed, trainings that had to restart."""
    input:
        checkpoints=JOBS.checkpoint_folders,
        examples=JOBS.trained_on(PLAN.cells),
    output:
        report(
            f"{RUN}/incidents.tsv",
            caption="../docs/captions/incidents.rst",
            category="Checks",
            labels={"table": "collapsed and restarted trainings"},
        ),
    log:
        f"{RUN}/logs/collect_incidents.log",
    params:
        code=JOBS.incidents_code,
        data=lambda w: f"{RUN}/data/training",
    message:
        "look for collapsed and restarted trainings"
    shell:
        "python scripts/collect_incidents.py {input.checkpoints:q} --data {params.data} --output {output:q}"
        " 2> >(tee {log:q} >&2)"


rule collect_training:
    """The training logs of all checkpoints in one table."""
    input:
        JOBS.checkpoint_folders,
    output:
        f"{RUN}/training.tsv",
    log:
        f"{RUN}/logs/collect_training.log",
    params:
        code=code_hash("scripts/collect_training.py"),
    message:
        "collect the training logs"
    shell:
        "python scripts/collect_training.py {input:q} --output {output:q} 2> >(tee {log:q} >&2)"


rule plot_training:
    """The learning curves of all trainings of a model."""
    input:
        f"{RUN}/training.tsv",
    output:
        report(
            f"{RUN}/learning_curves/{{model}}.svg",
            caption="../docs/captions/learning_curves.rst",
            category="How it was made",
            labels={"figure": "learning curves of {model}"},
        ),
        f"{RUN}/learning_curves/{{model}}.pdf",
        f"{RUN}/learning_curves/{{model}}.png",
    log:
        f"{RUN}/logs/learning_curves/{{model}}.log",
    benchmark:
        f"{RUN}/benchmarks/learning_curves/{{model}}.tsv"
    params:
        code=code_hash("scripts/plot_training.py"),
        note=STUDY_JOBS.miniature_note,
        folder=subpath(output[0], parent=True),
    message:
        "draw the learning curves of {wildcards.model}"
    shell:
        "python -m xstilts.warm --studies scripts/plot_training.py --training {input:q} --model {wildcards.model}"
        " --note={params.note:q} --output-dir {params.folder} 2> >(tee {log:q} >&2)"
