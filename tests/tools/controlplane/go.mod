// The launcher of the control plane for tests, demo and benchmark: standard library only.
module deployment-recorder/tests/tools/controlplane

go 1.26.0
