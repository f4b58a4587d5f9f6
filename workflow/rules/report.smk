# Figures, tables for papers, model cards, rendered notebooks and the front page.

report_lineage = lineage.report(params_tree)


rule report:
    input:
        reports.site_outputs(params_tree),
        reports.archive(params_tree),


rule figures:
    input:
        evaluation.tables(params_tree),
        transfer_plan.outputs(params_tree),
        data_plan.manifests(params_tree),
        data_plan.all_splits(params_tree),
    output:
        [shown(file) for file in reports.figure_outputs(params_tree)],
    log:
        "logs/report/figures.log",
    benchmark:
        "logs/benchmarks/report/figures.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "figures"),
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report figures > {log:q} 2>&1"


rule tables:
    input:
        evaluation.tables(params_tree),
    output:
        reports.table_outputs(params_tree),
    log:
        "logs/report/tables.log",
    benchmark:
        "logs/benchmarks/report/tables.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "tables"),
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report tables > {log:q} 2>&1"


rule cards:
    input:
        evaluation.tables(params_tree),
        params_tree.data.sources,
    output:
        reports.model_cards(params_tree),
    log:
        "logs/report/cards.log",
    benchmark:
        "logs/benchmarks/report/cards.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "cards"),
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report cards > {log:q} 2>&1"


rule clips:
    input:
        evaluation.tables(params_tree),
        data_plan.manifests(params_tree),
        [evaluation.predicted(params_tree, name) for name in params_tree.active],
    output:
        reports.clip_pages(params_tree),
    log:
        "logs/report/clips.log",
    benchmark:
        "logs/benchmarks/report/clips.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "clips"),
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report clips > {log:q} 2>&1"


rule notebook:
    input:
        evaluation.tables(params_tree),
        reports.figure_outputs(params_tree),
        lambda wildcards: (
            reports.study_tables(params_tree)
            if wildcards.notebook == reports.TUNING
            else []
        ),
        lambda wildcards: (
            transfer_plan.outputs(params_tree)
            if wildcards.notebook == transfer_plan.NOTEBOOK
            else []
        ),
        source="notebooks/{notebook}.py",
    output:
        report(
            reports.notebook_output(params_tree, "{notebook}"),
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
        **needs.of_rule(params_tree, "notebook"),
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report notebook {wildcards.notebook:q} > {log:q} 2>&1"


# Snakemake itself, for what is already there: it runs no job, so it needs no lock.
rule workflow_report:
    input:
        reports.evidence(params_tree),
    output:
        reports.workflow_report(params_tree),
    log:
        "logs/report/workflow.log",
    benchmark:
        "logs/benchmarks/report/workflow.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "workflow_report"),
    params:
        lineage=report_lineage,
    shell:
        "python -m snakemake --report {output:q} --nolock --cores {threads:q} -- {input:q} > {log:q} 2>&1"


rule site:
    input:
        reports.site_inputs(params_tree),
    output:
        report(
            str(paths.INDEX),
            caption="../report/site.rst",
            category="Front page",
        ),
        reports.front_page(params_tree),
    log:
        "logs/report/site.log",
    benchmark:
        "logs/benchmarks/report/site.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "site"),
    params:
        lineage=report_lineage,
        others=[str(page) for page in reports.other_reports(params_tree)],
    shell:
        "python -m ugcl report site > {log:q} 2>&1"


# It fills the front page's template itself, without links to other reports.
rule archive:
    input:
        reports.site_inputs(params_tree),
    output:
        reports.archive(params_tree),
    log:
        "logs/report/archive.log",
    benchmark:
        "logs/benchmarks/report/archive.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "archive"),
    params:
        lineage=report_lineage,
    shell:
        "python -m ugcl report archive > {log:q} 2>&1"
