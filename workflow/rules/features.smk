# Face tracks, feature shards, and the clips that are set aside.


rule features:
    input:
        features_plan.outputs(params_tree),


rule faces:
    input:
        "data/manifests/{corpus}.csv",
        "data/manifests/checked/{corpus}.txt",
    output:
        tracks="data/faces/{corpus}/shard-{shard}.csv",
        summary="data/faces/{corpus}/shard-{shard}.summary.csv",
    log:
        "logs/features/faces-{corpus}-{shard}.log",
    benchmark:
        "logs/benchmarks/features/faces-{corpus}-{shard}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "faces"),
    params:
        lineage=lambda wildcards: lineage.faces(params_tree, wildcards.corpus),
    shell:
        "python -m ugcl features faces {wildcards.corpus:q} {wildcards.shard:q}"
        " --threads {threads:q} > {log:q} 2>&1"


rule encode:
    input:
        lambda wildcards: features_plan.encode_inputs(params_tree, **wildcards),
        "data/manifests/checked/{corpus}.txt",
    output:
        tensors="data/features/{corpus}/{encoder}/shard-{shard}.safetensors",
        table="data/features/{corpus}/{encoder}/shard-{shard}.csv",
    log:
        "logs/features/{encoder}-{corpus}-{shard}.log",
    benchmark:
        "logs/benchmarks/features/{encoder}-{corpus}-{shard}.tsv"
    threads: lambda wildcards: encoder_threads(wildcards.encoder)
    resources:
        mem_mb=lambda wildcards, threads: needs.encode(
            params_tree, wildcards.encoder, threads
        )[0],
        runtime=lambda wildcards: needs.encode(params_tree, wildcards.encoder, 1)[1],
        gpu=gpus_of["encode"],
    params:
        lineage=lambda wildcards: lineage.features(
            params_tree, wildcards.corpus, wildcards.encoder
        ),
    shell:
        "python -m ugcl features encode {wildcards.corpus:q} {wildcards.encoder:q} {wildcards.shard:q}"
        " --threads 1 --workers $(({threads:q} - 1)) > {log:q} 2>&1"


rule index:
    input:
        lambda wildcards: features_plan.shard_files(
            params_tree, **wildcards, suffix=features_plan.TABLE
        ),
        lambda wildcards: features_plan.shard_files(
            params_tree, **wildcards, suffix=features_plan.TENSORS
        ),
    output:
        "data/features/{corpus}/{encoder}/index.csv",
    log:
        "logs/features/index-{corpus}-{encoder}.log",
    benchmark:
        "logs/benchmarks/features/index-{corpus}-{encoder}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "index"),
    params:
        lineage=lambda wildcards: lineage.features(
            params_tree, wildcards.corpus, wildcards.encoder
        ),
    shell:
        "python -m ugcl features index {wildcards.corpus:q} {wildcards.encoder:q} > {log:q} 2>&1"


rule quarantine:
    input:
        lambda wildcards: paths.manifest(
            params_tree.benchmark(wildcards.benchmark).corpus
        ),
        lambda wildcards: features_plan.benchmark_files(
            params_tree, wildcards.benchmark, features_plan.TABLE
        ),
    output:
        "data/quarantine/{benchmark}.csv",
    log:
        "logs/features/quarantine-{benchmark}.log",
    benchmark:
        "logs/benchmarks/features/quarantine-{benchmark}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "quarantine"),
    params:
        lineage=lambda wildcards: lineage.quarantine(params_tree, wildcards.benchmark),
    shell:
        "python -m ugcl features quarantine {wildcards.benchmark:q} > {log:q} 2>&1"
