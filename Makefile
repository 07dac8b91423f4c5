# Every target is one thing a person would do; `make` alone lists them.

EXPERIMENT ?= experiments/micro.yaml
SWIFT ?= swift
# One set of flags for programs and tests, so that neither throws away the other's build; `swift test`
# would add a flag of its own, which stands here already.
FLAGS = -c release -Xswiftc -enable-testing
TEST_FLAGS = $(FLAGS) --disable-testable-imports
BIN = .build/release
SOURCES = Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Benchmarks

.PHONY: help deps build test test-slow reproduce generate train evaluate report bench bench-peers lint format docs clean

help:
	@echo "make reproduce   all stages of EXPERIMENT=$(EXPERIMENT), what is there already left as it is"
	@echo "make test        build and run all tests"
	@echo "make test-slow   kill -9 at 100 moments of saving 1.6 GB; needs RSD_MODELS, half an hour"
	@echo "make generate | train | evaluate | report   one stage of EXPERIMENT=$(EXPERIMENT)"
	@echo "make deps | build | bench | bench-peers | lint | format | docs | clean (keeps runs)"

deps:
	@Tools/install-dependencies

build: deps
	@$(SWIFT) build $(FLAGS) --product rsd-generate
	@$(SWIFT) build $(FLAGS) --product rsd-train
	@$(SWIFT) build $(FLAGS) --product rsd-evaluate

test: deps
	$(SWIFT) test $(TEST_FLAGS)

test-slow: build
	python3 Tools/kill_while_saving.py --bin $(BIN) $(RSD_MODELS)/smollm2-135m-instruct.gguf

reproduce: report

generate train evaluate report: build
	@Tools/run-stages $(BIN) $@ $(EXPERIMENT)

bench: build
	$(BIN)/rsd-train bench --shape smollm2-135m --sequence 256 --steps 3
	$(SWIFT) package --package-path Benchmarks --scratch-path .build-benchmarks benchmark --no-progress

bench-peers: build
	@Tools/peers/run $(TEACHER) $(STUDENT) $(PEER_OPTIONS)

lint:
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)
	@Tools/check-paths
	@Tools/check-elementary
	@! grep -rnE '^(<<<<<<<|>>>>>>>) ' $(SOURCES) *.md Makefile docs experiments Tools .ci

format:
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

docs: build
	@Tools/build-docs $(BIN)

clean:
	rm -rf .build .build-benchmarks
