# Facts about languages, and how many pieces the tokenizer needs for each.
# Needs: the registry and urielplus; the tokenizer and the aligned test sets. Makes: languages.tsv, fertility/.


rule build_languages:
    """Codes, families, scripts, corpus sizes and distances to English of all languages."""
    output:
        f"{RUN}/languages.tsv",
    log:
        f"{RUN}/logs/build_languages.log",
    benchmark:
        f"{RUN}/benchmarks/build_languages.tsv"
    params:
        code=code_hash("scripts/build_languages.py"),
        registry=JOBS.languages_hash,
    message:
        "compute the distances of all languages to English"
    shell:
        "python scripts/build_languages.py --output {output:q} 2> >(tee {log:q} >&2)"


rule measure_fertility:
    """Pieces of each language's aligned text per piece of its English."""
    input:
        tokenizer=lambda w: JOBS.checkpoint(w.model, "mlm", 0),
        data=lambda w: JOBS.evaluation_inputs("tatoeba"),
    output:
        f"{RUN}/fertility/{{model}}.tsv",
    log:
        f"{RUN}/logs/fertility/{{model}}.log",
    benchmark:
        f"{RUN}/benchmarks/fertility/{{model}}.tsv"
    params:
        code=JOBS.fertility_code,
        languages=lambda w: " ".join(PLAN.languages("tatoeba")),
        locks=lambda w: JOBS.evaluation_locks("tatoeba"),
        source=JOBS.source_options("tatoeba"),
    message:
        "measure the fertility of the tokenizer of {wildcards.model}"
    shell:
        "python scripts/measure_fertility.py --model {wildcards.model} --tokenizer {input.tokenizer:q} {params.source}"
        " --dataset tatoeba --split test --languages {params.languages:q} --output {output:q}"
        " 2> >(tee {log:q} >&2)"
