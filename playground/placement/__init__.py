"""Why a pod stands on its node, or on none: the scheduler's attempts, in words."""
