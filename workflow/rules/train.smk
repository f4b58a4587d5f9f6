# One run is a system × seed × fold, systems with wrong labels in training among them; a job may do several.


rule train:
    input:
        train_plan.outputs(params_tree),


trainers = {_job.rule for _job in train_plan.jobs(params_tree)}
for _job in train_plan.jobs(params_tree):

    rule:
        name:
            _job.rule
        input:
            _job.inputs(params_tree),
        output:
            _job.outputs("{system}"),
        log:
            f"logs/train/{_job.benchmark}-{{system}}-{_job.runs}.log",
        benchmark:
            f"logs/benchmarks/train/{_job.benchmark}-{{system}}-{_job.runs}.tsv"
        threads: 1
        resources:
            mem_mb=lambda wildcards, name=_job.benchmark: needs.of_system(
                params_tree, "train", name, wildcards.system
            )[0],
            runtime=lambda wildcards, name=_job.benchmark: needs.of_system(
                params_tree, "train", name, wildcards.system
            )[1],
            gpu=gpus_of[_job.rule],
        params:
            benchmark=_job.benchmark,
            runs=_job.options,
            lineage=lambda wildcards, name=_job.benchmark: train_lineage(
                name, wildcards.system
            ),
        shell:
            "python -m ugcl train {params.benchmark:q} {wildcards.system:q} {params.runs:q}"
            " --lineage {params.lineage:q} --threads {threads:q} > {log:q} 2>&1"
