# One job a run: system × seed × fold; systems with wrong labels in training among them.


rule train:
    input:
        [
            paths.MODELS / paths.run(name, system, seed, fold) / "model.safetensors"
            for name, entry in benchmarks.items()
            for system in params_tree.trained(name)
            for seed in entry.seeds
            for fold in params_tree.folds(name)
        ],


rule run:
    input:
        manifest=lambda wildcards: paths.manifest(
            params_tree.benchmark(wildcards.benchmark).corpus
        ),
        split=lambda wildcards: paths.split(
            params_tree.benchmark(wildcards.benchmark).corpus,
            params_tree.benchmark(wildcards.benchmark).protocol,
            int(wildcards.fold),
        ),
        quarantine="data/quarantine/{benchmark}.csv",
        indices=lambda wildcards: [
            paths.features(params_tree.benchmark(wildcards.benchmark).corpus, encoder)
            / "index.csv"
            for encoder in params_tree.benchmark(wildcards.benchmark).features.values()
        ],
        shards=lambda wildcards: benchmark_features(wildcards.benchmark, ".safetensors"),
    output:
        weights="results/models/{benchmark}/{system}/seed{seed}/fold{fold}/model.safetensors",
        card="results/models/{benchmark}/{system}/seed{seed}/fold{fold}/card.json",
        history="results/models/{benchmark}/{system}/seed{seed}/fold{fold}/history.csv",
    log:
        "logs/train/{benchmark}-{system}-seed{seed}-fold{fold}.log",
    benchmark:
        "logs/benchmarks/train/{benchmark}-{system}-seed{seed}-fold{fold}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=600,
        gpu=gpus,
    params:
        lineage=lambda wildcards: train_lineage(wildcards.benchmark, wildcards.system),
    shell:
        "python -m ugcl train {wildcards.benchmark} {wildcards.system}"
        " --seed {wildcards.seed} --fold {wildcards.fold}"
        " --lineage {params.lineage} --threads {threads} > {log} 2>&1"
