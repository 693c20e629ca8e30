//! deployment-recorder keeps GitHub's deployment records true to what runs in a Kubernetes cluster.
