# The claims of the study that this package reproduces, evaluated for this run.
# Needs: scores.tsv, leakage.tsv, incidents.tsv, claims.yaml. Makes: claims.tsv.

from xstilts.fingerprint import ROOT, text_hash

CLAIMS = ROOT / "claims.yaml"


rule evaluate_claims:
    """Every claim of claims.yaml: reproduced, not reproduced, or not run at this tier, and why."""
    input:
        scores=f"{RUN}/scores.tsv",
        leakage=[] if PLAN.scores_are_given else f"{RUN}/leakage.tsv",
        incidents=[] if PLAN.scores_are_given else f"{RUN}/incidents.tsv",
    output:
        report(
            f"{RUN}/claims.tsv",
            caption="../docs/captions/claims.rst",
            category="Claims",
            labels={"table": "claims"},
        ),
    log:
        f"{RUN}/logs/evaluate_claims.log",
    params:
        code=code_hash("scripts/evaluate_claims.py"),
        # No input: a file of the repository has the time of the checkout.
        claims=text_hash(CLAIMS.read_text(encoding="utf-8")),
        file=CLAIMS.name,
        registry=JOBS.registry_hash,
        facts=JOBS.run_facts,
        leakage=lambda w, input: f"--leakage {input.leakage}" if input.leakage else "",
        incidents=lambda w, input: f"--incidents {input.incidents}" if input.incidents else "",
    message:
        "evaluate the claims"
    shell:
        "python scripts/evaluate_claims.py --claims {params.file} --facts {params.facts:q}"
        " --scores {input.scores:q} {params.leakage} {params.incidents} --output {output:q} 2> >(tee {log:q} >&2)"
