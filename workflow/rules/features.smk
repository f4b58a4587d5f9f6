# Face tracks, feature shards, and the clips that are set aside.


rule features:
    input:
        [
            paths.features(entry.corpus, encoder) / "index.csv"
            for entry in benchmarks.values()
            for encoder in entry.features.values()
        ],
        [paths.quarantine(name) for name in benchmarks],


rule faces:
    input:
        "data/manifests/{corpus}.csv",
    output:
        tracks="data/faces/{corpus}/shard-{shard}.csv",
        summary="data/faces/{corpus}/shard-{shard}.summary.csv",
    log:
        "logs/features/faces-{corpus}-{shard}.log",
    benchmark:
        "logs/benchmarks/features/faces-{corpus}-{shard}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=600,
    params:
        lineage=lambda wildcards: lineage.faces(params_tree, wildcards.corpus),
    shell:
        "python -m ugcl features faces {wildcards.corpus} {wildcards.shard}"
        " --threads {threads} > {log} 2>&1"


rule encode:
    input:
        unpack(encoder_inputs),
    output:
        tensors="data/features/{corpus}/{encoder}/shard-{shard}.safetensors",
        table="data/features/{corpus}/{encoder}/shard-{shard}.csv",
    log:
        "logs/features/{encoder}-{corpus}-{shard}.log",
    benchmark:
        "logs/benchmarks/features/{encoder}-{corpus}-{shard}.tsv"
    threads: lambda wildcards: encoder_threads(wildcards.encoder)
    resources:
        mem_mb=lambda wildcards, threads: encoder_memory(wildcards.encoder, threads),
        runtime=600,
        gpu=lambda wildcards: encoder_gpus(wildcards.encoder),
    params:
        lineage=lambda wildcards: lineage.features(
            params_tree, wildcards.corpus, wildcards.encoder
        ),
    shell:
        "python -m ugcl features encode {wildcards.corpus} {wildcards.encoder} {wildcards.shard}"
        " --threads 1 --workers $(({threads} - 1)) > {log} 2>&1"


rule index:
    input:
        lambda wildcards: shard_files(wildcards.corpus, wildcards.encoder, ".csv"),
        lambda wildcards: shard_files(
            wildcards.corpus, wildcards.encoder, ".safetensors"
        ),
    output:
        "data/features/{corpus}/{encoder}/index.csv",
    log:
        "logs/features/index-{corpus}-{encoder}.log",
    benchmark:
        "logs/benchmarks/features/index-{corpus}-{encoder}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        lineage=lambda wildcards: lineage.features(
            params_tree, wildcards.corpus, wildcards.encoder
        ),
    shell:
        "python -m ugcl features index {wildcards.corpus} {wildcards.encoder} > {log} 2>&1"


rule quarantine:
    input:
        manifest=lambda wildcards: paths.manifest(
            params_tree.benchmark(wildcards.benchmark).corpus
        ),
        shards=lambda wildcards: benchmark_features(wildcards.benchmark, ".csv"),
    output:
        "data/quarantine/{benchmark}.csv",
    log:
        "logs/features/quarantine-{benchmark}.log",
    benchmark:
        "logs/benchmarks/features/quarantine-{benchmark}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        lineage=lambda wildcards: lineage.quarantine(params_tree, wildcards.benchmark),
    shell:
        "python -m ugcl features quarantine {wildcards.benchmark} > {log} 2>&1"
