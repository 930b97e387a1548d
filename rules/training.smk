# Recipes to checkpoints: every stage is one job on top of the checkpoint without its last stage.
# Needs: checkpoints of `mlm`, prepared training data (and text, for continued masked LM).
# Makes: checkpoints/<model>/<recipe>/seed<k>/.


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
