# The public targets: what a person may ask for by name. They collect files and run nothing themselves.


localrules:
    fetch,
    data,
    languages,
    checkpoints,
    training,
    predictions,
    xtreme,
    scores,
    study_typology,
    study_scale,
    study_qa_retrieval,
    study_order,
    study_similarity,
    studies,
    claims,
    export,
    sweep_layers,
    report,


rule fetch:
    """All data and models of the hub that the run reads: the only jobs that need a network."""
    input:
        JOBS.fetched,
        STUDY_JOBS.fetched,


rule data:
    """The prepared training data, the pre-training text and the leakage report."""
    input:
        f"{RUN}/leakage.tsv",


rule languages:
    """The table of languages: codes, families, scripts, corpus sizes, distances."""
    input:
        f"{RUN}/languages.tsv",


rule checkpoints:
    """Every checkpoint of the run's recipes, prefixes included."""
    input:
        JOBS.checkpoint_folders,


rule training:
    """How the trainings went: their logs in one table, learning curves, collapsed and restarted ones."""
    input:
        [] if PLAN.scores_are_given else [f"{RUN}/training.tsv", f"{RUN}/incidents.tsv"],
        JOBS.learning_curves,
    message:
        "how the trainings went is there"


rule predictions:
    """Every prediction file, in XTREME's submission format."""
    input:
        JOBS.all_predictions,
    message:
        "all predictions are there"


rule xtreme:
    """Predictions and labels as XTREME's own evaluate.py reads them, a folder per recipe and seed."""
    input:
        JOBS.xtreme_folders,
    message:
        f"what XTREME's evaluator reads is in {RUN}/xtreme"
        if JOBS.xtreme_folders
        else "the run has none of XTREME's tasks"


rule scores:
    """All scores in one table."""
    input:
        JOBS.score_files,
        f"{RUN}/scores.tsv",
    message:
        "all scores are there"


rule study_typology:
    """S1: typological distance and degradation in sentence retrieval."""
    input:
        STUDY_JOBS.files("typology"),


rule study_scale:
    """S2: linguistic similarity, the gain of intermediate training, and the size of the model."""
    input:
        STUDY_JOBS.files("scale"),


rule study_qa_retrieval:
    """S3: English against multilingual question answering before retrieval."""
    input:
        STUDY_JOBS.files("qa_retrieval"),


rule study_order:
    """S4: the order of intermediate tasks, against random sequences."""
    input:
        STUDY_JOBS.files("order"),


rule study_similarity:
    """S5: semantic similarity of tasks, and gains in low-resource languages."""
    input:
        STUDY_JOBS.files("similarity"),


rule studies:
    """Every study that the run selects, and their verdicts side by side."""
    input:
        STUDY_JOBS.all_files,


rule claims:
    """The claims of the study that this package reproduces, each with a verdict for this run."""
    input:
        f"{RUN}/claims.tsv",


rule export:
    """Scores, outcomes per example and tests as Parquet and TSV, with a data dictionary."""
    input:
        multiext(f"{RUN}/export/scores", ".parquet", ".tsv"),
        multiext(f"{RUN}/export/outcomes", ".parquet", ".tsv.gz"),
        multiext(f"{RUN}/export/tests", ".parquet", ".tsv"),
        f"{RUN}/export/data_dictionary.tsv",


rule sweep_layers:
    """Every layer and pooling of the masked LMs in the run's retrieval and mining, apart from the scores."""
    input:
        JOBS.sweep_files,
    message:
        f"the sweeps are in {RUN}/sweeps"
        if JOBS.sweep_files
        else "there is nothing to sweep: the run has neither retrieval nor mining without a head"


rule report:
    """One page with answers, figures, tables, settings and versions."""
    input:
        f"{RUN}/report.html",
