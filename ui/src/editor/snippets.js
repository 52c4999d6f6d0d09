// Texts to begin with. `${…}` is a place to fill in, with what stands there at first; the same twice is filled in together.
const labels = (indent) => `labels:\n${indent}  app: \${name}`;

const TEXTS = [
  { name: "Deployment", text: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: \${name}
  ${labels("  ")}
spec:
  replicas: \${2}
  selector:
    matchLabels:
      app: \${name}
  template:
    metadata:
      ${labels("      ")}
    spec:
      containers:
      - name: \${name}
        image: \${nginx}
        ports:
        - containerPort: \${80}
` },
  { name: "Service", text: `apiVersion: v1
kind: Service
metadata:
  name: \${name}
spec:
  selector:
    app: \${name}
  ports:
  - port: \${80}
    targetPort: \${80}
` },
  { name: "ConfigMap", text: `apiVersion: v1
kind: ConfigMap
metadata:
  name: \${name}
data:
  \${key}: \${value}
` },
  { name: "Secret", text: `apiVersion: v1
kind: Secret
metadata:
  name: \${name}
type: Opaque
stringData:
  \${key}: \${value}
` },
  { name: "Pod", text: `apiVersion: v1
kind: Pod
metadata:
  name: \${name}
  ${labels("  ")}
spec:
  containers:
  - name: \${name}
    image: \${nginx}
` },
  { name: "StatefulSet", text: `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: \${name}
spec:
  serviceName: \${name}
  replicas: \${2}
  selector:
    matchLabels:
      app: \${name}
  template:
    metadata:
      ${labels("      ")}
    spec:
      containers:
      - name: \${name}
        image: \${nginx}
        volumeMounts:
        - name: data
          mountPath: \${/data}
  volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      accessModes:
      - ReadWriteOnce
      resources:
        requests:
          storage: \${1Gi}
` },
  { name: "DaemonSet", text: `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: \${name}
spec:
  selector:
    matchLabels:
      app: \${name}
  template:
    metadata:
      ${labels("      ")}
    spec:
      containers:
      - name: \${name}
        image: \${nginx}
` },
  { name: "Job", text: `apiVersion: batch/v1
kind: Job
metadata:
  name: \${name}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: \${name}
        image: \${busybox}
        command: ["sh", "-c", "\${echo done}"]
` },
  { name: "CronJob", text: `apiVersion: batch/v1
kind: CronJob
metadata:
  name: \${name}
spec:
  schedule: "\${*/5 * * * *}"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - name: \${name}
            image: \${busybox}
            command: ["sh", "-c", "\${date}"]
` },
  { name: "Ingress", text: `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: \${name}
spec:
  rules:
  - host: \${web.example}
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: \${name}
            port:
              number: \${80}
` },
  { name: "NetworkPolicy", text: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: \${name}
spec:
  podSelector:
    matchLabels:
      app: \${app}
  policyTypes:
  - Ingress
  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: \${from}
    ports:
    - port: \${80}
` },
  { name: "PersistentVolumeClaim", text: `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: \${name}
spec:
  accessModes:
  - ReadWriteOnce
  resources:
    requests:
      storage: \${1Gi}
` },
  { name: "HorizontalPodAutoscaler", text: `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: \${name}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: \${name}
  minReplicas: \${1}
  maxReplicas: \${5}
  metrics:
  - type: Resource
    resource:
      name: cpu
      target:
        type: Utilization
        averageUtilization: \${80}
` },
  { name: "Namespace", text: `apiVersion: v1
kind: Namespace
metadata:
  name: \${name}
` },
  { name: "ServiceAccount", text: `apiVersion: v1
kind: ServiceAccount
metadata:
  name: \${name}
` },
  { name: "Role", text: `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: \${name}
rules:
- apiGroups: [""]
  resources: ["\${pods}"]
  verbs: ["get", "list", "watch"]
` },
  { name: "RoleBinding", text: `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: \${name}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: \${role}
subjects:
- kind: User
  apiGroup: rbac.authorization.k8s.io
  name: \${user}
` },
  { name: "CustomResourceDefinition", text: `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: \${widgets}.\${example.com}
spec:
  group: \${example.com}
  scope: Namespaced
  names:
    kind: \${Widget}
    plural: \${widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              \${size}:
                type: integer
` },
];

/** Gives places to fill in the numbers by which CodeMirror goes from one to the next: a bare "2" would be one. */
function numbered(text) {
  const known = [];
  return text.replace(/\$\{([^}]*)\}/g, (_, words) => {
    if (!known.includes(words)) known.push(words);
    return `\${${known.indexOf(words) + 1}:${words}}`;
  });
}

export const SNIPPETS = TEXTS.map(({ name, text }) => ({ name, text: numbered(text) }));
