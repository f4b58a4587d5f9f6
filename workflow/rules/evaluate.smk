# Predictions, scores with intervals, the tables of each benchmark, and the summary over them.


rule evaluate:
    input:
        evaluation.tables(params_tree),
        evaluation.summary_outputs(),
        transfer_plan.outputs(params_tree),


for _benchmark in params_tree.active:

    rule:
        name:
            f"predict_{_benchmark}"
        input:
            evaluation.predict_inputs(params_tree, _benchmark, "{system}"),
        output:
            evaluation.predict_outputs(params_tree, _benchmark, "{system}"),
            evaluation.temperature(_benchmark, "{system}"),
        log:
            f"logs/evaluate/predict-{_benchmark}-{{system}}.log",
        benchmark:
            f"logs/benchmarks/evaluate/predict-{_benchmark}-{{system}}.tsv"
        threads: 1
        resources:
            mem_mb=lambda wildcards, name=_benchmark: needs.of_system(
                params_tree, "predict", name, wildcards.system
            )[0],
            runtime=lambda wildcards, name=_benchmark: needs.of_system(
                params_tree, "predict", name, wildcards.system
            )[1],
            gpu=gpus_of[f"predict_{_benchmark}"],
        params:
            benchmark=_benchmark,
            lineage=lambda wildcards, name=_benchmark: lineage.predict(
                params_tree, name, wildcards.system
            ),
        shell:
            "python -m ugcl evaluate predict {params.benchmark:q} {wildcards.system:q}"
            " --threads {threads:q} > {log:q} 2>&1"

    if evaluation.perturb_outputs(params_tree, _benchmark):

        rule:
            name:
                f"perturb_{_benchmark}"
            input:
                evaluation.clean_clips(params_tree, _benchmark),
            output:
                evaluation.perturb_outputs(params_tree, _benchmark),
            log:
                f"logs/evaluate/perturb-{_benchmark}.log",
            benchmark:
                f"logs/benchmarks/evaluate/perturb-{_benchmark}.tsv"
            threads: 1
            resources:
                **needs.perturb(params_tree, _benchmark),
                gpu=gpus_of[f"perturb_{_benchmark}"],
            params:
                benchmark=_benchmark,
                lineage=lineage.perturb(params_tree, _benchmark),
            shell:
                "python -m ugcl evaluate perturb {params.benchmark:q} --threads {threads:q}"
                " > {log:q} 2>&1"


rule robustness:
    input:
        lambda wildcards: evaluation.robustness_inputs(params_tree, wildcards.benchmark),
    output:
        evaluation.score("{benchmark}", "robustness"),
    log:
        "logs/evaluate/robustness-{benchmark}.log",
    benchmark:
        "logs/benchmarks/evaluate/robustness-{benchmark}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "robustness"),
        gpu=gpus_of["robustness"],
    params:
        lineage=lambda wildcards: lineage.robustness(params_tree, wildcards.benchmark),
    shell:
        "python -m ugcl evaluate robustness {wildcards.benchmark:q} --threads {threads:q} > {log:q} 2>&1"


rule score:
    input:
        lambda wildcards: evaluation.clean_clips(params_tree, wildcards.benchmark),
        lambda wildcards: evaluation.predicted(params_tree, wildcards.benchmark),
    output:
        evaluation.score_outputs("{benchmark}"),
    log:
        "logs/evaluate/score-{benchmark}.log",
    benchmark:
        "logs/benchmarks/evaluate/score-{benchmark}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "score"),
    params:
        lineage=lambda wildcards: [
            lineage.score(params_tree, wildcards.benchmark, system)
            for system in params_tree.benchmark(wildcards.benchmark).systems
        ],
    shell:
        "python -m ugcl evaluate score {wildcards.benchmark:q} > {log:q} 2>&1"


rule cost:
    input:
        lambda wildcards: evaluation.run_inputs(params_tree, wildcards.benchmark),
    output:
        evaluation.score("{benchmark}", "cost"),
    log:
        "logs/evaluate/cost-{benchmark}.log",
    benchmark:
        "logs/benchmarks/evaluate/cost-{benchmark}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "cost"),
        gpu=gpus_of["cost"],
    params:
        lineage=lambda wildcards: lineage.cost(params_tree, wildcards.benchmark),
    shell:
        "python -m ugcl evaluate cost {wildcards.benchmark:q} --threads {threads:q} > {log:q} 2>&1"


rule represent:
    input:
        lambda wildcards: evaluation.run_inputs(
            params_tree,
            wildcards.benchmark,
            [params_tree.benchmark(wildcards.benchmark).reference],
        ),
    output:
        evaluation.represent_outputs("{benchmark}"),
    log:
        "logs/evaluate/represent-{benchmark}.log",
    benchmark:
        "logs/benchmarks/evaluate/represent-{benchmark}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "represent"),
        gpu=gpus_of["represent"],
    params:
        lineage=lambda wildcards: lineage.represent(params_tree, wildcards.benchmark),
    shell:
        "python -m ugcl evaluate tokens {wildcards.benchmark:q} --threads {threads:q} > {log:q} 2>&1"


rule benchmark_tables:
    input:
        lambda wildcards: evaluation.table_inputs(params_tree, wildcards.benchmark),
    output:
        evaluation.table_outputs("{benchmark}"),
    log:
        "logs/evaluate/tables-{benchmark}.log",
    benchmark:
        "logs/benchmarks/evaluate/tables-{benchmark}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "benchmark_tables"),
    params:
        lineage=lambda wildcards: lineage.tables(params_tree, wildcards.benchmark),
    shell:
        "python -m ugcl evaluate tables {wildcards.benchmark:q} > {log:q} 2>&1"


rule transfer:
    input:
        lambda wildcards: transfer_plan.inputs(params_tree, wildcards.benchmark),
    output:
        [evaluation.table("{benchmark}", name) for name in transfer_plan.TABLES],
    log:
        "logs/evaluate/transfer-{benchmark}.log",
    benchmark:
        "logs/benchmarks/evaluate/transfer-{benchmark}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "transfer"),
        gpu=gpus_of["transfer"],
    params:
        lineage=lambda wildcards: lineage.transfer(params_tree, wildcards.benchmark),
    shell:
        "python -m ugcl evaluate transfer {wildcards.benchmark:q} --threads {threads:q} > {log:q} 2>&1"


# Of the active benchmarks, and of others as their tables lie there, if they are current.
included = kept.included(params_tree)


rule summary:
    input:
        [evaluation.table(name, "summary") for name in included],
    output:
        evaluation.summary_outputs(),
    log:
        "logs/evaluate/summary.log",
    benchmark:
        "logs/benchmarks/evaluate/summary.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "summary"),
    params:
        lineage=lineage.summary(included),
    shell:
        "python -m ugcl evaluate summary > {log:q} 2>&1"
