# Where examples come from, and what of them may be trained on.
# Needs: nothing (micro), a network (hub), or the mirror's folder, checked against data.lock (a param, never an
# input). Jobs that fetch run where Snakemake does, since compute nodes often have no network.
# Makes: source/ (micro, hub), data/evaluation_keys.parquet, data/training/<task>/, data/corpus/, leakage.tsv.


rule generate_micro:
    """Write one folder of micro-XTREME, a data set or two, in the publishers' formats."""
    output:
        directory(f"{RUN}/source/{{dataset_folder}}"),
    log:
        f"{RUN}/logs/generate_micro/{{dataset_folder}}.log",
    benchmark:
        f"{RUN}/benchmarks/generate_micro/{{dataset_folder}}.tsv"
    wildcard_constraints:
        dataset_folder=JOBS.any_of(JOBS.micro_folders),
    priority: 1  # all training waits for it
    params:
        code=lambda w: JOBS.micro_code(w.dataset_folder),
        datasets=lambda w: " ".join(JOBS.micro_folders[w.dataset_folder]),
        layout=lambda w: JOBS.micro_layout(w.dataset_folder),
        settings=JOBS.json(PLAN.settings.data.micro),
        languages=JOBS.generator_facts,
        root=subpath(output[0], parent=True),
    message:
        "generate {wildcards.dataset_folder} of micro-XTREME"
    shell:
        "python scripts/generate_micro.py --dataset {params.datasets:q} --settings {params.settings:q}"
        " --output {params.root} 2> >(tee {log:q} >&2)"


localrules:
    fetch_data,


rule fetch_data:
    """Fetch one language of a split, or a split of one file, of a data set of the hub, as published."""
    output:
        directory(f"{RUN}/source/{{dataset}}/{{split}}/{{part}}"),
    log:
        f"{RUN}/logs/fetch_data/{{dataset}}/{{split}}/{{part}}.log",
    wildcard_constraints:
        dataset=JOBS.any_of(JOBS.hub_names),
        split="[a-z]+",
        part="[a-z]+",
    params:
        code=code_hash("scripts/fetch_data.py"),
        entry=lambda w: JOBS.fetched_part(w.dataset, w.split, w.part),
        state=f"{RUN}/state/fetch/{{dataset}}/{{split}}/{{part}}",
    message:
        "fetch {wildcards.dataset}/{wildcards.split}/{wildcards.part} from the hub"
    shell:
        'HF_HUB_OFFLINE="$XSTILTS_OFFLINE" python scripts/fetch_data.py --entry {params.entry:q}'
        " --state {params.state:q} --output {output:q} 2> >(tee {log:q} >&2)"


rule collect_evaluation_keys:
    """Hash everything that stands in an evaluation set of the source, selected by the run or not."""
    input:
        JOBS.all_evaluation_inputs,
    output:
        f"{RUN}/data/evaluation_keys.parquet",
    log:
        f"{RUN}/logs/collect_evaluation_keys.log",
    benchmark:
        f"{RUN}/benchmarks/collect_evaluation_keys.tsv"
    priority: 1  # all training waits for it
    params:
        code=JOBS.evaluation_keys_code,
        lock=JOBS.all_evaluation_locks,
    message:
        "collect the keys of all evaluation sets"
    shell:
        'python scripts/collect_evaluation_keys.py --root "$XSTILTS_SOURCE" --lock "$XSTILTS_LOCK"'
        ' --folders "$XSTILTS_FOLDERS" --output {output:q} 2> >(tee {log:q} >&2)'


rule prepare_training:
    """Examples of one training task, without those that stand in an evaluation set."""
    input:
        data=lambda w: JOBS.training_inputs(w.task),
        held_out=f"{RUN}/data/evaluation_keys.parquet",
    output:
        train=f"{RUN}/data/training/{{task}}/train.jsonl",
        dev=f"{RUN}/data/training/{{task}}/dev.jsonl",
        leakage=f"{RUN}/data/training/{{task}}/leakage.tsv",
    log:
        f"{RUN}/logs/prepare_training/{{task}}.log",
    benchmark:
        f"{RUN}/benchmarks/prepare_training/{{task}}.tsv"
    params:
        code=lambda w: JOBS.training_code(w.task),
        entry=lambda w: JOBS.training_entry(w.task),
        lock=lambda w: JOBS.training_locks(w.task),
    message:
        "prepare the training data of {wildcards.task}"
    shell:
        "python scripts/prepare_training.py --task {wildcards.task} --entry {params.entry:q}"
        ' --root "$XSTILTS_SOURCE" --lock "$XSTILTS_LOCK" --folders "$XSTILTS_FOLDERS"'
        " --keys {input.held_out:q} --train {output.train:q} --dev {output.dev:q}"
        " --leakage {output.leakage:q} 2> >(tee {log:q} >&2)"


rule prepare_text:
    """Pre-training text and translation pairs, without lines that stand in an evaluation set."""
    input:
        data=JOBS.text_inputs,
        held_out=f"{RUN}/data/evaluation_keys.parquet",
    output:
        corpus=directory(f"{RUN}/data/corpus"),
        sizes=f"{RUN}/corpus.tsv",
        leakage=f"{RUN}/data/text.leakage.tsv",
    log:
        f"{RUN}/logs/prepare_text.log",
    benchmark:
        f"{RUN}/benchmarks/prepare_text.tsv"
    priority: 1  # all training waits for it
    params:
        code=JOBS.text_code,
        languages=JOBS.text_languages_option,
        cap=JOBS.text_cap_option,
        lock=JOBS.text_locks,
    message:
        "prepare the pre-training text"
    shell:
        'python scripts/prepare_text.py --root "$XSTILTS_SOURCE" --lock "$XSTILTS_LOCK" {params.languages} {params.cap}'
        " --keys {input.held_out:q} --output {output.corpus:q} --corpus {output.sizes:q}"
        " --leakage {output.leakage:q} 2> >(tee {log:q} >&2)"


rule collect_leakage:
    """One table of what was removed from training, because it stands in which evaluation set."""
    input:
        text=[f"{RUN}/data/text.leakage.tsv"] if JOBS.reads_corpus else [],
        tasks=[f"{RUN}/data/training/{task}/leakage.tsv" for task in PLAN.training_tasks],
    output:
        report(
            f"{RUN}/leakage.tsv",
            caption="../docs/captions/leakage.rst",
            category="Checks",
            labels={"table": "what was removed from training"},
        ),
    log:
        f"{RUN}/logs/collect_leakage.log",
    params:
        code=code_hash("scripts/collect_leakage.py"),
    message:
        "collect the leakage report"
    shell:
        "python scripts/collect_leakage.py {input:q} --output {output:q} 2> >(tee {log:q} >&2)"
