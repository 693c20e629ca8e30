# Each target is one plain command, so that it can be run without make.

.PHONY: tools

# The Kubernetes programs of tests, demo and benchmark, into ~/.cache; minutes the first time.
tools:
	tests/tools/build
