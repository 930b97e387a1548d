# The masked LM that every recipe starts from, and its untrained twin.
# Needs: the prepared text (models that the run pre-trains), a folder or the hub (all others; the jobs that
# fetch run where Snakemake does).
# Makes: tokenizer/, checkpoints/<model>/untrained/seed0/, checkpoints/<model>/mlm/seed0/.


rule train_tokenizer:
    """Learn the pieces of the models that the run pre-trains."""
    input:
        f"{RUN}/data/corpus",
    output:
        directory(f"{RUN}/tokenizer"),
    log:
        f"{RUN}/logs/train_tokenizer.log",
    benchmark:
        f"{RUN}/benchmarks/train_tokenizer.tsv"
    priority: 1  # all training waits for it
    resources:
        mem_mb=1500,
    params:
        code=code_hash("scripts/train_tokenizer.py"),
        settings=JOBS.json(PLAN.settings.tokenizer),
    message:
        "learn the tokenizer"
    shell:
        "python scripts/train_tokenizer.py --corpus {input:q} --settings {params.settings:q}"
        " --output {output:q} 2> >(tee {log:q} >&2)"


rule initialise_model:
    """Random weights for a model that the run pre-trains; the control beside every retrieval score."""
    input:
        f"{RUN}/tokenizer",
    output:
        directory(f"{RUN}/checkpoints/{{model}}/untrained/seed0"),
    log:
        f"{RUN}/logs/checkpoints/{{model}}/untrained.log",
    benchmark:
        f"{RUN}/benchmarks/checkpoints/{{model}}/untrained.tsv"
    wildcard_constraints:
        model=JOBS.any_of(JOBS.pretrained_models),
    priority: 1  # all training waits for it
    params:
        code=code_hash("scripts/initialise_model.py"),
        architecture=lambda w: JOBS.json(PLAN.settings.models[w.model].architecture),
    message:
        "initialise {wildcards.model}"
    shell:
        "python -m xstilts.warm scripts/initialise_model.py --model {wildcards.model} --tokenizer {input:q}"
        " --architecture {params.architecture:q} --code {params.code} --output {output:q}"
        " 2> >(tee {log:q} >&2)"


rule pretrain_model:
    """Masked LM on the run's text, with translation ranking where the source has translations."""
    input:
        model=f"{RUN}/checkpoints/{{model}}/untrained/seed0",
        corpus=f"{RUN}/data/corpus",
    output:
        directory(f"{RUN}/checkpoints/{{model}}/mlm/seed0"),
    log:
        f"{RUN}/logs/checkpoints/{{model}}/mlm.log",
    benchmark:
        f"{RUN}/benchmarks/checkpoints/{{model}}/mlm.tsv"
    wildcard_constraints:
        model=JOBS.any_of(JOBS.pretrained_models),
    priority: 1  # all training waits for it
    threads: lambda w: JOBS.threads(w.model, "mlm") * JOBS.processes(w.model, "mlm")
    resources:
        mem_mb=2500,
    params:
        code=code_hash("scripts/pretrain_model.py"),
        settings=lambda w: JOBS.pretraining_settings(w.model),
        layer=lambda w: JOBS.retrieval_layer_option(w.model),
        threads=lambda w: JOBS.threads(w.model, "mlm"),
        device=PLAN.run.device,
        precision=PLAN.run.precision,
        trainer=lambda w: JOBS.trainer(w.model, "mlm"),
        sharding=lambda w: JOBS.sharding_option(w.model, "mlm"),
        state=f"{RUN}/state/checkpoints/{{model}}/mlm/seed0",
    message:
        "pre-train {wildcards.model}"
    shell:
        "{params.trainer} scripts/pretrain_model.py --model {wildcards.model} --checkpoint {input.model:q}"
        " --corpus {input.corpus:q} --settings {params.settings:q} {params.layer}"
        " --threads {params.threads} --device {params.device} --precision {params.precision} {params.sharding}"
        " --state {params.state:q} --code {params.code} --output {output:q}"
        " 2> >(tee {log:q} >&2)"


localrules:
    fetch_model,


rule fetch_model:
    """Fetch a model of the hub at a fixed commit: configuration, tokenizer and weights, as published."""
    output:
        directory(f"{RUN}/source/models/{{model}}"),
    log:
        f"{RUN}/logs/fetch_model/{{model}}.log",
    wildcard_constraints:
        model=JOBS.any_of(JOBS.hub_models),
    params:
        code=code_hash("scripts/fetch_model.py"),
        repository=lambda w: PLAN.settings.models[w.model].repository,
        revision=lambda w: PLAN.settings.models[w.model].revision,
        state=f"{RUN}/state/fetch/models/{{model}}",
    message:
        "fetch {wildcards.model} from the hub"
    shell:
        'HF_HUB_OFFLINE="$XSTILTS_OFFLINE" python scripts/fetch_model.py --repository {params.repository:q}'
        " --revision {params.revision} --state {params.state:q} --output {output:q} 2> >(tee {log:q} >&2)"


rule import_model:
    """A masked LM from a local folder or the hub, every encoder weight accounted for."""
    input:
        lambda w: JOBS.model_inputs(w.model),
    output:
        directory(f"{RUN}/checkpoints/{{model}}/mlm/seed0"),
    log:
        f"{RUN}/logs/checkpoints/{{model}}/mlm.log",
    benchmark:
        f"{RUN}/benchmarks/checkpoints/{{model}}/mlm.tsv"
    wildcard_constraints:
        model=JOBS.any_of(JOBS.imported_models),
    params:
        code=code_hash("scripts/import_model.py"),
        repository=lambda w: PLAN.settings.models[w.model].repository or "",
        revision=lambda w: PLAN.settings.models[w.model].revision or "",
        weights=lambda w: JOBS.folder_hash(w.model),
    message:
        "import {wildcards.model}"
    shell:
        'python -m xstilts.warm scripts/import_model.py --model {wildcards.model} --folder "${{XSTILTS_FOLDER_{wildcards.model}:-}}"'
        " --repository {params.repository:q} --revision {params.revision:q} --code {params.code}"
        " --output {output:q} 2> >(tee {log:q} >&2)"


rule randomise_model:
    """The architecture of an imported model with random weights."""
    input:
        f"{RUN}/checkpoints/{{model}}/mlm/seed0",
    output:
        directory(f"{RUN}/checkpoints/{{model}}/untrained/seed0"),
    log:
        f"{RUN}/logs/checkpoints/{{model}}/untrained.log",
    benchmark:
        f"{RUN}/benchmarks/checkpoints/{{model}}/untrained.tsv"
    wildcard_constraints:
        model=JOBS.any_of(JOBS.imported_models),
    params:
        code=code_hash("scripts/randomise_model.py"),
    message:
        "randomise {wildcards.model}"
    shell:
        "python -m xstilts.warm scripts/randomise_model.py --model {wildcards.model} --checkpoint {input:q}"
        " --code {params.code} --output {output:q} 2> >(tee {log:q} >&2)"
