"""The features of v1.36 that an operator may switch, by the names of their gates.

They are of alpha quality there, or of beta quality; those that are on by default say so.
"""

from __future__ import annotations

# Workloads and PodGroups are served.
GENERIC_WORKLOAD = "GenericWorkload"
GANG_SCHEDULING = "GangScheduling"
GROUP_PREEMPTION = "WorkloadAwarePreemption"
TOPOLOGY = "TopologyAwareWorkloadScheduling"
# The pods of a group share claims for devices.
GROUP_CLAIMS = "DRAWorkloadResourceClaims"
# DeviceTaintRules are served.
TAINT_RULES = "DRADeviceTaintRules"
# The Job controller makes Workloads and PodGroups.
WORKLOAD_WITH_JOB = "EnableWorkloadWithJob"
# StorageVersionMigrations are served.
MIGRATOR = "StorageVersionMigrator"
# StatefulSets may replace several pods at a time.
SEVERAL_AT_A_TIME = "MaxUnavailableStatefulSet"
# StorageVersions are served, and the API server says there in which versions it stores.
STORAGE_VERSIONS = "StorageVersionAPI"
# The API server says by a Lease that it lives. On by default.
SERVER_IDENTITY = "APIServerIdentity"
