# One run is a system × seed × fold, systems with wrong labels in training among them; a job may do several.


rule train:
    input:
        [
            paths.MODELS / paths.run(name, system, seed, fold) / "model.safetensors"
            for name, entry in benchmarks.items()
            for system in params_tree.trained(name)
            for seed in entry.seeds
            for fold in params_tree.folds(name)
        ],


for _benchmark in benchmarks:
    for _seeds, _folds in params_tree.training_jobs(_benchmark):
        _job = "_".join(["seed", *map(str, _seeds), "fold", *map(str, _folds)])

        rule:
            name:
                f"train_{_benchmark}_{_job}"
            input:
                manifest=paths.manifest(benchmarks[_benchmark].corpus),
                splits=[
                    paths.split(
                        benchmarks[_benchmark].corpus,
                        benchmarks[_benchmark].protocol,
                        fold,
                    )
                    for fold in _folds
                ],
                quarantine=paths.quarantine(_benchmark),
                indices=[
                    paths.features(benchmarks[_benchmark].corpus, encoder)
                    / "index.csv"
                    for encoder in benchmarks[_benchmark].features.values()
                ],
                shards=benchmark_features(_benchmark, ".safetensors"),
            output:
                [
                    paths.MODELS / paths.run(_benchmark, "{system}", seed, fold) / name
                    for seed in _seeds
                    for fold in _folds
                    for name in ("model.safetensors", "card.json", "history.csv")
                ],
            log:
                f"logs/train/{_benchmark}-{{system}}-{_job}.log",
            benchmark:
                f"logs/benchmarks/train/{_benchmark}-{{system}}-{_job}.tsv"
            threads: 1
            resources:
                mem_mb=1500,
                runtime=600,
                gpu=lambda wildcards, name=_benchmark: training_gpus(
                    name, wildcards.system
                ),
            params:
                benchmark=_benchmark,
                runs=[
                    *(f"--seed {seed}" for seed in _seeds),
                    *(f"--fold {fold}" for fold in _folds),
                ],
                lineage=lambda wildcards, name=_benchmark: train_lineage(
                    name, wildcards.system
                ),
            shell:
                "python -m ugcl train {params.benchmark} {wildcards.system} {params.runs}"
                " --lineage {params.lineage} --threads {threads} > {log} 2>&1"
