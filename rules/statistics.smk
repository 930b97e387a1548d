# Do the tests of the studies keep their word? Simulated scores with a known truth; apart from every run.
# Needs: nothing. Makes: results/simulations/.

from xstilts.studies.settings import JOBS as STUDIES

SIMULATIONS = 1000


rule simulate_statistics:
    """Coverage, error rate and power of one study's tests on simulated scores."""
    output:
        "results/simulations/{study}.tsv",
    log:
        "results/simulations/logs/{study}.log",
    wildcard_constraints:
        study=JOBS.any_of(list(STUDIES)),
    params:
        code=code_hash("scripts/simulate_statistics.py"),
        simulations=SIMULATIONS,
    message:
        "simulate the tests of {wildcards.study}"
    shell:
        "OMP_NUM_THREADS=1 python scripts/simulate_statistics.py --study {wildcards.study} --simulations {params.simulations}"
        " --output {output:q} 2> >(tee {log:q} >&2)"


rule write_statistics:
    """The statistics and their simulations as a page, docs/statistics.md."""
    input:
        tables=expand("results/simulations/{study}.tsv", study=list(STUDIES)),
        words="xstilts/statistics/page.md",
    output:
        "results/simulations/statistics.md",
    log:
        "results/simulations/logs/write_statistics.log",
    params:
        code=code_hash("scripts/write_statistics.py"),
    message:
        "write the page of the statistics"
    shell:
        "python scripts/write_statistics.py {input.tables:q} --output {output:q} 2> >(tee {log:q} >&2)"
