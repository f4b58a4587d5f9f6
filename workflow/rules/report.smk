# Figures, tables for papers, model cards, rendered notebooks and the front page.

report_lineage = lineage.report(params_tree)


rule report:
    input:
        reports.site_outputs(),


rule figures:
    input:
        evaluation.summary_outputs(params_tree),
        [paths.manifest(corpus) for corpus in active_corpora],
        [benchmark_splits(name) for name in benchmarks],
    output:
        [shown(file) for file in reports.figure_outputs(params_tree)],
    log:
        "logs/report/figures.log",
    benchmark:
        "logs/benchmarks/report/figures.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report figures > {log} 2>&1"


rule tables:
    input:
        evaluation.summary_outputs(params_tree),
    output:
        reports.table_outputs(params_tree),
    log:
        "logs/report/tables.log",
    benchmark:
        "logs/benchmarks/report/tables.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report tables > {log} 2>&1"


rule cards:
    input:
        evaluation.summary_outputs(params_tree),
        params_tree.data.sources,
    output:
        reports.model_cards(params_tree),
    log:
        "logs/report/cards.log",
    benchmark:
        "logs/benchmarks/report/cards.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report cards > {log} 2>&1"


rule notebook:
    input:
        evaluation.summary_outputs(params_tree),
        reports.figure_outputs(params_tree),
        lambda wildcards: (
            reports.study_tables(params_tree)
            if wildcards.notebook == reports.TUNING
            else []
        ),
        source="notebooks/{notebook}.py",
    output:
        report(
            "results/reports/{notebook}.html",
            caption="../report/notebook.rst",
            category="Notebooks",
            labels={"notebook": "{notebook}"},
        ),
    log:
        "logs/report/{notebook}.log",
    benchmark:
        "logs/benchmarks/report/{notebook}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report notebook {wildcards.notebook} > {log} 2>&1"


# Snakemake itself, for what is already there: it runs no job, so it needs no lock.
rule workflow_report:
    input:
        reports.evidence(params_tree),
    output:
        reports.workflow_report(),
    log:
        "logs/report/workflow.log",
    benchmark:
        "logs/benchmarks/report/workflow.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        lineage=report_lineage,
    shell:
        "python -m snakemake --report {output} --nolock --cores {threads} -- {input} > {log} 2>&1"


rule site:
    input:
        reports.site_inputs(params_tree),
    output:
        report(
            str(paths.INDEX),
            caption="../report/site.rst",
            category="Front page",
        ),
    log:
        "logs/report/site.log",
    benchmark:
        "logs/benchmarks/report/site.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report site > {log} 2>&1"
