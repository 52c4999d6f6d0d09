"""What every database must give the storage: run for SQLite and for PostgreSQL alike."""

from __future__ import annotations

from tests.contracts.storage_clusters import ClustersContract
from tests.contracts.storage_faults import FaultsContract
from tests.contracts.storage_objects import ObjectsContract
from tests.contracts.storage_past import PastContract


class StorageContract(ObjectsContract, PastContract, ClustersContract, FaultsContract):
    """All parts; whoever is tested names its database as `StorageCase` says."""
