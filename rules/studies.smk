# Scores to answers: each study tests its hypotheses, gives a verdict and draws its figures.
# Needs: scores.tsv, languages.tsv, corpus.tsv, fertility.tsv. Makes: studies/<study>/.


rule analyse_typology:
    """S1: does degradation in sentence retrieval rise with typological distance from English?"""
    input:
        scores=f"{RUN}/scores.tsv",
        languages=f"{RUN}/languages.tsv",
        fertility=f"{RUN}/fertility.tsv",
        corpus=JOBS.corpus_sizes,
        equal_pools=JOBS.equal_pools,
    output:
        tests=report(
            f"{RUN}/studies/typology/tests.tsv",
            caption="../docs/captions/typology_tests.rst",
            category="Study: typology",
            labels={"table": "tests"},
        ),
        verdict=f"{RUN}/studies/typology/verdict.json",
    log:
        f"{RUN}/logs/studies/analyse_typology.log",
    benchmark:
        f"{RUN}/benchmarks/studies/analyse_typology.tsv"
    params:
        code=code_hash("scripts/analyse_typology.py"),
        settings=JOBS.typology_settings,
        corpus=JOBS.corpus_option,
        equal_pools=lambda w, input: [f"--equal-pool={path}" for path in input.equal_pools],
    message:
        "analyse typological distance and degradation"
    shell:
        "python scripts/analyse_typology.py --scores {input.scores:q} --languages {input.languages:q}"
        " --fertility {input.fertility:q} {params.corpus}"
        " {params.equal_pools:q} --settings {params.settings:q}"
        " --tests {output.tests:q} --verdict {output.verdict:q} 2> >(tee {log:q} >&2)"


rule plot_typology:
    """S1's figures: degradation against distance, and correlations by recipe and distance."""
    input:
        scores=f"{RUN}/scores.tsv",
        languages=f"{RUN}/languages.tsv",
        fertility=f"{RUN}/fertility.tsv",
        corpus=JOBS.corpus_sizes,
        tests=f"{RUN}/studies/typology/tests.tsv",
    output:
        [
            (
                report(
                    file,
                    caption=f"../docs/captions/typology_{Path(file).stem}.rst",
                    category="Study: typology",
                    labels={"figure": Path(file).stem},
                )
                if file.endswith(".svg")
                else file
            )
            for file in JOBS.figure_files("typology")
        ],
    log:
        f"{RUN}/logs/studies/plot_typology.log",
    benchmark:
        f"{RUN}/benchmarks/studies/plot_typology.tsv"
    params:
        code=code_hash("scripts/plot_typology.py"),
        settings=JOBS.typology_settings,
        corpus=JOBS.corpus_option,
        note=JOBS.miniature_note,
        folder=subpath(output[0], parent=True),
    message:
        "draw the figures of typology"
    shell:
        "python scripts/plot_typology.py --scores {input.scores:q} --languages {input.languages:q}"
        " --fertility {input.fertility:q} {params.corpus} --tests {input.tests:q} --settings {params.settings:q} --note {params.note:q}"
        " --output-dir {params.folder} 2> >(tee {log:q} >&2)"
