"""The scheduler's rules, one file each; `nodes.scheduler.profile` lists them with weights."""
