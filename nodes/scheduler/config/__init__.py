"""KubeSchedulerConfiguration, v1: read strictly, completed and validated in Kubernetes' words."""
