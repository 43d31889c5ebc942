# Every target first installs what is missing of scripts/apt-packages (with sudo when not root).

SWIFT = swift
# How many random schedules `make simulate` tries; with SEED=n it replays one and prints its trace.
SEEDS = 20000
SEED =
# How many lives of a spool `make simulate-spool` tries, each with nine mixtures of trouble.
SPOOL_SEEDS = 200
# How many seeds of deployments `make simulate-deployment` tries, each with eleven mixtures of trouble.
DEPLOYMENT_SEEDS = 2000
# How many of them each planted fault gets in `make simulate-selftest`.
SELFTEST_SEEDS = 5000
# On how many threads `make simulate` runs.
JOBS = $(shell nproc)
# How long `make soak` torments a running tree.
MINUTES = 10

.PHONY: help demo test sanitize build device dist format lint bench simulate simulate-spool simulate-deployment simulate-selftest crash-matrix stress vm-smoke soak clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

demo: build ## start a tree of real workers and watch it
	@scripts/install-dependencies demo
	@scripts/demo

build: ## build everything in release
	@scripts/install-dependencies build
	$(SWIFT) build -c release

device: ## build only what runs on a device, which takes a fraction of the time
	@scripts/install-dependencies build
	export HOLDFAST_PARTS=device; for product in holdfastd holdfast holdfast-imunoedge holdfast-plugin-host deploy model-load; do $(SWIFT) build -c release --product $$product || exit; done

dist: build ## pack what a device needs as dist/holdfast-VERSION-linux-ARCH.tar.gz
	@scripts/dist

test: ## run every test
	@scripts/install-dependencies build test
	@scripts/test

sanitize: ## run the tests of the core and the runtimes under the thread sanitizer
	@scripts/install-dependencies build
	@scripts/sanitize

format: ## format the Swift sources
	@scripts/install-dependencies build
	$(SWIFT) format format --in-place --parallel --recursive Sources Tests Plugins Package.swift

lint: build ## check format, scripts, module arrows, links and what holdfastd links
	@scripts/install-dependencies lint
	@scripts/lint

bench: build ## measure against a minimal C program and other supervisors (RESTARTS=100000 for the long run)
	@scripts/install-dependencies bench
	@Benchmarks/run

simulate: ## try SEEDS random fault schedules on the core, or replay SEED with a trace
	@scripts/install-dependencies build
	@$(SWIFT) build -c release --product supervision-simulator
	@.build/release/supervision-simulator $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --jobs $(JOBS))

simulate-spool: ## try SPOOL_SEEDS random lives of a spool on a disk that fails, or SEED alone
	@scripts/install-dependencies build
	@$(SWIFT) build -c release --product spool-simulator
	@.build/release/spool-simulator $(if $(SEED),--seed $(SEED),--seeds $(SPOOL_SEEDS))

simulate-deployment: ## try DEPLOYMENT_SEEDS random lives of a bundle with power cuts at any instant, or SEED alone
	@scripts/install-dependencies build
	@$(SWIFT) build -c release --product deployment-simulator
	@.build/release/deployment-simulator $(if $(SEED),--seed $(SEED),--seeds $(DEPLOYMENT_SEEDS))

simulate-selftest: ## plant faults into the pure cores and see that the simulations find each
	@scripts/install-dependencies build
	@scripts/simulate-selftest --seeds $(SELFTEST_SEEDS)

crash-matrix: ## interrupt deployments and rollbacks at every state and every call (minutes; STRESS_TEST.md)
	@scripts/install-dependencies build test
	export HOLDFAST_PARTS=device; $(SWIFT) build
	@EVERY=1 Tests/Shell/97-crash-matrix .build/debug

stress: build ## break everything below the real systemd and see what is promised kept (STRESS_TEST.md)
	@scripts/install-dependencies test
	@scripts/stress

vm-smoke: build ## show limits, freezer and units on a kernel of its own under qemu (minutes; needs root)
	@scripts/install-dependencies test vm
	@scripts/vm-smoke .build/release

soak: build ## torment a running tree for MINUTES
	@scripts/install-dependencies demo
	@scripts/soak --minutes $(MINUTES)

clean: ## remove what was built
	rm -rf .build .build-*
