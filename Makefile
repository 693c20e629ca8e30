# Each target is one plain command, so that it can be run without make.

.PHONY: build test ledger chart generate check lint fmt scripts docs deny advisories demo demo-down tools release image image-test reproduce bench fuzz soak chaos sabotage mutants e2e e2e-short

# The recorder and github-sandbox, for trying them out.
build:
	cargo build --locked --all-features

# Every test. The Kubernetes programs that some of them start are built first, once.
test: tools
	cargo test --locked --all-features --no-fail-fast

# What a ledger of 100,000 records costs, with times (docs/testing.md); minutes to build, the first time.
ledger:
	cargo test --locked --profile ci --features sandbox --test recorder -- --ignored --nocapture hundred_thousand

# The chart: rendered with many values under Helm 3 and 4, and on a real API server.
chart:
	tests/tools/build helm3 helm4 etcd kube-apiserver kubectl
	tests/tools/python -m pytest -q -rs -p no:cacheprovider tests/chart

# Writes again what is generated: what the chart has from the code, its table of values, deploy/*.yaml.
generate:
	tests/tools/build helm4
	UPDATE=1 cargo test --quiet --locked --all-features --test chart
	tests/tools/python tests/chart/generate.py

# Everything that must hold before a change is merged, but for the demo.
check: lint docs deny test chart

lint: fmt scripts
	cargo clippy --locked --all-targets --all-features -- -D warnings

fmt:
	cargo fmt --all -- --check

# Shell scripts and workflows. The linters come into ~/.cache; half a minute the first time.
scripts:
	tests/tools/lint

docs:
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --all-features --no-deps

# Licences, sources and unwanted or doubled crates (deny.toml); known vulnerabilities from the network.
deny:
	tests/tools/cargo-deny --all-features check bans licenses sources

advisories:
	tests/tools/cargo-deny --all-features check advisories

# The recorder on a real control plane, step by step (examples/README.md). DEMO_EXIT=1: ends it too.
demo:
	examples/demo/demo up

demo-down:
	examples/demo/demo down

# The Kubernetes programs of tests, demo and benchmark, into ~/.cache; minutes the first time. And, where
# Debian's packages are to be had, the registry that tests/registry.rs reads from.
tools:
	tests/tools/build
	-tests/tools/node-packages docker-registry

# What is released: the recorder alone, linked as one. Minutes each time.
release:
	cargo build --locked --release --bin deployment-recorder

# The images of this machine's architecture, without a container engine, into target/image (docs/images.md).
# PROFILE=ci links in seconds, into target/image-ci.
image:
	deploy/image/build

# What must hold of them: what makes them, deploy/Dockerfile beside it, and, for root, that they start. -v says
# what was skipped and why.
image-test: image
	IMAGES=$(CURDIR)/target/image$(addprefix -,$(filter-out release,$(PROFILE))) go test -C deploy/image -count=1 -v ./...

# The recorder's image twice, from two clean clones: the same digest. A quarter of an hour.
reproduce:
	deploy/image/reproduce

# All of it on a real node: kubelet, containerd, our images, the chart by Helm (docs/development.md). As root;
# five minutes after the build. E2E_KUBECONFIG and E2E_REGISTRY: in a cluster that is there.
e2e:
	tests/tools/python -m pytest tests/e2e

# Of that install, rollout, delete, uninstall; where no node can be made it says why and ends well.
e2e-short:
	tests/tools/python -m pytest tests/e2e/test_first_try.py --where-it-can

# What the recorder costs at 10,000 pods, against its targets; about five minutes after the build.
bench:
	tests/tools/build etcd kube-apiserver kubectl
	cargo bench --locked --features sandbox --bench cluster

# So many seeds of six simulated hours each, side by side, and TWICE=20 of them twice (docs/testing.md); minutes
# to build, the first time.
soak:
	SEEDS=$(or $(SEEDS),500) TWICE=$(or $(TWICE),20) cargo test --locked --profile simulation --all-features --test simulation -- --nocapture

# The recorder on a real control plane while workloads and faults do what they want, for MINUTES=30, then a
# few minutes until all is right (docs/testing.md). SEED=1 does the same again.
chaos:
	tests/tools/python tests/chaos/run.py

# Breaks the code on purpose in each way of tests/sabotage and shows that a test notices. Minutes each.
sabotage:
	tests/tools/sabotage

# Looks for inputs that break what must hold of any (src/fuzz.rs), a minute for each target: about half an
# hour, and once minutes to build. FUZZ_SECONDS=600 looks longer; tests/tools/fuzz TARGET at one alone.
fuzz:
	tests/tools/fuzz

# Changes the code place by place and looks whether a test fails: the next shard, at most 25 minutes of two cores;
# SHARD=3/72 that one. All of it is hours (docs/testing.md); tests/tools/mutants --check judges it.
mutants:
	tests/tools/mutants
