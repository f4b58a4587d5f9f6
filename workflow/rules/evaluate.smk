# Predictions, scores with intervals, and the tables over all active benchmarks.


rule evaluate:
    input:
        evaluation.summary_outputs(params_tree),


for _benchmark in benchmarks:

    rule:
        name:
            f"predict_{_benchmark}"
        input:
            manifest=paths.manifest(benchmarks[_benchmark].corpus),
            splits=benchmark_splits(_benchmark),
            quarantine=paths.quarantine(_benchmark),
            shards=benchmark_features(_benchmark, ".safetensors"),
            weights=[
                paths.MODELS
                / paths.run(_benchmark, "{system}", seed, fold)
                / "model.safetensors"
                for seed in benchmarks[_benchmark].seeds
                for fold in params_tree.folds(_benchmark)
            ],
        output:
            [
                evaluation.prediction(_benchmark, "{system}", seed, fold)
                for seed in benchmarks[_benchmark].seeds
                for fold in params_tree.folds(_benchmark)
            ],
            evaluation.temperature(_benchmark, "{system}"),
        log:
            f"logs/evaluate/predict-{_benchmark}-{{system}}.log",
        benchmark:
            f"logs/benchmarks/evaluate/predict-{_benchmark}-{{system}}.tsv"
        threads: 1
        resources:
            mem_mb=1500,
            runtime=60,
            gpu=gpus(params_tree.evaluate.accelerator),
        params:
            benchmark=_benchmark,
            lineage=lambda wildcards, name=_benchmark: lineage.predict(
                params_tree, name, wildcards.system
            ),
        shell:
            "python -m ugcl evaluate predict {params.benchmark} {wildcards.system}"
            " --threads {threads} > {log} 2>&1"


for _benchmark in benchmarks:
    if evaluation.perturb_outputs(params_tree, _benchmark):

        rule:
            name:
                f"perturb_{_benchmark}"
            input:
                paths.manifest(benchmarks[_benchmark].corpus),
                benchmark_splits(_benchmark),
                paths.quarantine(_benchmark),
            output:
                evaluation.perturb_outputs(params_tree, _benchmark),
            log:
                f"logs/evaluate/perturb-{_benchmark}.log",
            benchmark:
                f"logs/benchmarks/evaluate/perturb-{_benchmark}.tsv"
            threads: 1
            resources:
                mem_mb=1500,
                runtime=600,
                gpu=encoder_gpus(benchmarks[_benchmark].features["audio"]),
            params:
                benchmark=_benchmark,
                lineage=lineage.perturb(params_tree, _benchmark),
            shell:
                "python -m ugcl evaluate perturb {params.benchmark} --threads {threads} > {log} 2>&1"

    if evaluation.robustness_outputs(params_tree, _benchmark):

        rule:
            name:
                f"robustness_{_benchmark}"
            input:
                run_files(_benchmark),
                evaluation.perturb_outputs(params_tree, _benchmark),
                evaluation.mislabelled_outputs(params_tree, _benchmark),
            output:
                evaluation.robustness_outputs(params_tree, _benchmark),
            log:
                f"logs/evaluate/robustness-{_benchmark}.log",
            benchmark:
                f"logs/benchmarks/evaluate/robustness-{_benchmark}.tsv"
            threads: 1
            resources:
                mem_mb=2000,
                runtime=600,
                gpu=gpus(params_tree.evaluate.accelerator),
            params:
                benchmark=_benchmark,
                lineage=lineage.robustness(params_tree, _benchmark),
            shell:
                "python -m ugcl evaluate robustness {params.benchmark} --threads {threads} > {log} 2>&1"

    rule:
        name:
            f"score_{_benchmark}"
        input:
            paths.manifest(benchmarks[_benchmark].corpus),
            evaluation.predicted(params_tree, _benchmark),
        output:
            [
                evaluation.score_outputs(params_tree, _benchmark, system)
                for system in benchmarks[_benchmark].systems
            ],
        log:
            f"logs/evaluate/score-{_benchmark}.log",
        benchmark:
            f"logs/benchmarks/evaluate/score-{_benchmark}.tsv"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=60,
        params:
            benchmark=_benchmark,
            lineage=[
                lineage.score(params_tree, _benchmark, system)
                for system in benchmarks[_benchmark].systems
            ],
        shell:
            "python -m ugcl evaluate score {params.benchmark} > {log} 2>&1"

    rule:
        name:
            f"cost_{_benchmark}"
        input:
            run_files(_benchmark),
        output:
            evaluation.cost_outputs(params_tree, _benchmark),
        log:
            f"logs/evaluate/cost-{_benchmark}.log",
        benchmark:
            f"logs/benchmarks/evaluate/cost-{_benchmark}.tsv"
        threads: 1
        resources:
            mem_mb=1500,
            runtime=60,
            gpu=gpus(params_tree.evaluate.accelerator),
        params:
            benchmark=_benchmark,
            lineage=lineage.cost(params_tree, _benchmark),
        shell:
            "python -m ugcl evaluate cost {params.benchmark} --threads {threads} > {log} 2>&1"

    rule:
        name:
            f"represent_{_benchmark}"
        input:
            run_files(_benchmark, [benchmarks[_benchmark].reference]),
        output:
            evaluation.represent_outputs(params_tree, _benchmark),
        log:
            f"logs/evaluate/represent-{_benchmark}.log",
        benchmark:
            f"logs/benchmarks/evaluate/represent-{_benchmark}.tsv"
        threads: 1
        resources:
            mem_mb=1500,
            runtime=60,
            gpu=gpus(params_tree.evaluate.accelerator),
        params:
            benchmark=_benchmark,
            lineage=lineage.represent(params_tree, _benchmark),
        shell:
            "python -m ugcl evaluate represent {params.benchmark} --threads {threads} > {log} 2>&1"


rule summary:
    input:
        evaluation.summary_inputs(params_tree),
    output:
        evaluation.summary_outputs(params_tree),
    log:
        "logs/evaluate/summary.log",
    benchmark:
        "logs/benchmarks/evaluate/summary.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        lineage=lineage.tables(params_tree),
    shell:
        "python -m ugcl evaluate summary > {log} 2>&1"
