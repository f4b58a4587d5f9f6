# Raw media, manifests and folds.


rule data:
    input:
        [paths.manifest(corpus) for corpus in active_corpora],
        [benchmark_splits(name) for name in benchmarks],


for _corpus, _actor in demo_actors():

    rule:
        name:
            f"make_{_corpus}_{_actor}"
        output:
            [paths.RAW / _corpus / name for name in demo.media_paths(_actor)],
        log:
            f"logs/data/{_corpus}-{_actor}.log",
        benchmark:
            f"logs/benchmarks/data/{_corpus}-{_actor}.tsv"
        threads: 1
        resources:
            mem_mb=1500,
            runtime=10,
        params:
            corpus=_corpus,
            actor=_actor,
            lineage=lineage.raw(params_tree, _corpus),
        shell:
            "python -m ugcl data demo {params.corpus} {params.actor} > {log} 2>&1"


rule fetch:
    output:
        "data/raw/{corpus}/fetched.csv",
    log:
        "logs/data/fetch-{corpus}.log",
    benchmark:
        "logs/benchmarks/data/fetch-{corpus}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=600,
    params:
        lineage=lambda wildcards: lineage.raw(params_tree, wildcards.corpus),
    shell:
        "python -m ugcl data fetch {wildcards.corpus} > {log} 2>&1"


rule manifest:
    input:
        raw_files,
    output:
        "data/manifests/{corpus}.csv",
    log:
        "logs/data/manifest-{corpus}.log",
    benchmark:
        "logs/benchmarks/data/manifest-{corpus}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        lineage=lambda wildcards: lineage.manifest(params_tree, wildcards.corpus),
    shell:
        "python -m ugcl data manifest {wildcards.corpus} > {log} 2>&1"


rule split:
    input:
        "data/manifests/{corpus}.csv",
    output:
        "data/splits/{corpus}/{protocol}/fold{fold}.csv",
    log:
        "logs/data/split-{corpus}-{protocol}-{fold}.log",
    benchmark:
        "logs/benchmarks/data/split-{corpus}-{protocol}-{fold}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        lineage=lambda wildcards: lineage.splits(
            params_tree, wildcards.corpus, wildcards.protocol
        ),
    shell:
        "python -m ugcl data split {wildcards.corpus} {wildcards.protocol} {wildcards.fold} > {log} 2>&1"
