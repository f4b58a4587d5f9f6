# Raw media, manifests and folds.


rule data:
    input:
        data_plan.manifests(params_tree),
        data_plan.all_splits(params_tree),
        data_plan.checks(params_tree),


for _corpus, _actor in data_plan.made_actors(params_tree):

    rule:
        name:
            f"make_{_corpus}_{_actor}"
        output:
            data_plan.actor_media(params_tree, _corpus, _actor),
        log:
            f"logs/data/{_corpus}-{_actor}.log",
        benchmark:
            f"logs/benchmarks/data/{_corpus}-{_actor}.tsv"
        group:
            "make"
        threads: 1
        resources:
            **needs.of_rule(params_tree, "make"),
        params:
            corpus=_corpus,
            actor=_actor,
            lineage=lineage.raw(params_tree, _corpus),
        shell:
            "python -m ugcl data demo {params.corpus:q} {params.actor:q} > {log:q} 2>&1"


rule fetch:
    output:
        "data/raw/{corpus}/fetched.csv",
    log:
        "logs/data/fetch-{corpus}.log",
    benchmark:
        "logs/benchmarks/data/fetch-{corpus}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "fetch"),
    params:
        lineage=lambda wildcards: lineage.raw(params_tree, wildcards.corpus),
    shell:
        "python -m ugcl data fetch {wildcards.corpus:q} > {log:q} 2>&1"


rule manifest:
    input:
        lambda wildcards: data_plan.raw_files(params_tree, wildcards.corpus),
    output:
        "data/manifests/{corpus}.csv",
    log:
        "logs/data/manifest-{corpus}.log",
    benchmark:
        "logs/benchmarks/data/manifest-{corpus}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "manifest"),
    params:
        lineage=lambda wildcards: lineage.manifest(params_tree, wildcards.corpus),
        described=lambda wildcards: data_plan.described(params_tree, wildcards.corpus),
    shell:
        "python -m ugcl data manifest {wildcards.corpus:q} > {log:q} 2>&1"


# All features of a corpus wait for this. It depends on the manifest alone, as they do: a changed fold scheme makes
# none of them stale. Jobs that make features check again, in case that a protocol changed since.
rule check_folds:
    input:
        "data/manifests/{corpus}.csv",
    output:
        "data/manifests/checked/{corpus}.txt",
    log:
        "logs/data/check-{corpus}.log",
    benchmark:
        "logs/benchmarks/data/check-{corpus}.tsv"
    threads: 1
    resources:
        **needs.of_rule(params_tree, "check_folds"),
    params:
        lineage=lambda wildcards: lineage.manifest(params_tree, wildcards.corpus),
    shell:
        "python -m ugcl data check {wildcards.corpus:q} > {log:q} 2>&1"


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
        **needs.of_rule(params_tree, "split"),
    params:
        lineage=lambda wildcards: lineage.splits(
            params_tree, wildcards.corpus, wildcards.protocol
        ),
    shell:
        "python -m ugcl data split {wildcards.corpus:q} {wildcards.protocol:q} {wildcards.fold:q}"
        " > {log:q} 2>&1"
