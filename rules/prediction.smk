# Checkpoints to predictions, in XTREME's submission format: one file per language (of retrieval and mining
# also a run file with what such a file cannot hold), and beside each a stamp of all that decided it. A
# language whose stamp still holds is kept (`update`), so that adding a language computes that one only.
# Needs: a checkpoint, the evaluation data. Makes: predictions/<model>/<recipe>/seed<k>/<task>/ and, for
# XTREME's own evaluator, xtreme/<model>/<recipe>/seed<k>/.

for TASK in JOBS.tasks:

    rule:
        name:
            f"predict_{TASK}"
        input:
            checkpoint=f"{RUN}/checkpoints/{{model}}/{{recipe}}/seed{{seed}}",
            data=JOBS.evaluation_inputs(TASK),
        output:
            update(JOBS.prediction_files(TASK)),
            update(JOBS.stamp_files(TASK)),
        log:
            f"{RUN}/logs/predictions/{{model}}/{{recipe}}/seed{{seed}}/{TASK}.log",
        benchmark:
            f"{RUN}/benchmarks/predictions/{{model}}/{{recipe}}/seed{{seed}}/{TASK}.tsv"
        wildcard_constraints:
            recipe=JOBS.any_of(JOBS.recipes_of(TASK)),
        threads: lambda w: JOBS.threads(w.model, w.recipe)
        resources:
            mem_mb=1500,
        params:
            task=TASK,
            script=JOBS.prediction_script(TASK),
            code=JOBS.prediction_code(TASK),
            entry=JOBS.prediction_entry(TASK),
            languages=" ".join(PLAN.languages(TASK)),
            locks=JOBS.evaluation_locks(TASK),
            source=JOBS.source_options(TASK),
            settings=lambda w, TASK=TASK: JOBS.prediction_settings(w.model, w.recipe, TASK),
            threads=lambda w: JOBS.threads(w.model, w.recipe),
            device=PLAN.run.device,
            folder=subpath(output[0], parent=True),
        message:
            "predict {params.task} with {wildcards.model}/{wildcards.recipe}, seed {wildcards.seed}"
        shell:
            "python -m xstilts.warm {params.script} --checkpoint {input.checkpoint:q} --task {params.task}"
            " --entry {params.entry:q} --languages {params.languages:q} {params.source}"
            " --settings {params.settings:q} --threads {params.threads} --device {params.device}"
            " --code {params.code} --output {params.folder:q}"
            " 2> >(tee {log:q} >&2)"


rule arrange_xtreme:
    """The predictions of one recipe and seed in XTREME's tasks, and labels, as XTREME's evaluate.py walks them."""
    input:
        predictions=lambda w: JOBS.xtreme_inputs(w.model, w.recipe, w.seed),
        data=lambda w: JOBS.xtreme_data(w.model, w.recipe, w.seed),
    output:
        directory(f"{RUN}/xtreme/{{model}}/{{recipe}}/seed{{seed}}"),
    log:
        f"{RUN}/logs/xtreme/{{model}}/{{recipe}}/seed{{seed}}.log",
    params:
        code=lambda w: JOBS.xtreme_code(w.model, w.recipe, w.seed),
        parts=lambda w: JOBS.xtreme_parts(w.model, w.recipe, w.seed),
        locks=lambda w: JOBS.xtreme_locks(w.model, w.recipe, w.seed),
    message:
        "lay out {wildcards.model}/{wildcards.recipe}, seed {wildcards.seed}, for XTREME's evaluator"
    shell:
        'python scripts/arrange_xtreme.py --parts {params.parts:q} --root "$XSTILTS_SOURCE" --lock "$XSTILTS_LOCK"'
        ' --folders "$XSTILTS_FOLDERS" --output {output:q} 2> >(tee {log:q} >&2)'
