# From raw media to a finished report. Milestones: data, features, train, evaluate, report, all.


# With `--sdm apptainer` jobs run in this image; without, in the environment of the caller. See config/README.md.
container: "workflow/container/ugcl.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


# Jobs of seconds that read tables alone: a cluster's login node does them.
localrules:
    check_folds,
    split,
    quarantine,
    summary,
    tables,
    cards,
    clips,
    workflow_report,
    site,
    archive,


rule all:
    default_target: True
    input:
        rules.evaluate.input,
        rules.report.input,


# A wanted file without a rule would be taken from an earlier run: see ugcl/plan/check.py.
makers = [job for job in workflow.rules if job.name not in trainers]  # those are many
one_line(
    check.check_makers,
    check.wanted(params_tree),
    lambda file: any(rule.is_producer(file) for rule in makers),
)


# Snakemake waits for ever for a job whose end it cannot learn.
onstart:
    if hasattr(workflow.executor_settings, "status_command"):
        workflow.executor_settings.status_command = one_line(
            check.slurm_status_command
        )
