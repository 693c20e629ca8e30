// The program in every image of tests/e2e: standard library only.
module deployment-recorder/tests/e2e/workload

go 1.26.0
