# Targets that build prepare the machine first, and skip what is already in place.
SWIFT_FLAGS ?= -c release

.PHONY: build test docs demo service soak distributed faults fuzz sanitize bench performance install uninstall archive format lint clean bootstrap

PREFIX = /usr/local

build: bootstrap  ## leaves .build/release/albef
	swift build $(SWIFT_FLAGS) --product albef

test: bootstrap  ## builds and runs every test
	swift build $(SWIFT_FLAGS) --build-tests
	swift test $(SWIFT_FLAGS) --skip-build

docs: build  ## builds the documentation of the libraries: out/docs; fails on a warning
	Scripts/docs

demo: bootstrap  ## draws a gallery, indexes it, and searches it before and after re-ranking
	swift build $(SWIFT_FLAGS) --product albef-demo
	.build/release/albef-demo --output out/demo

service: build  ## tests the service, its page in a browser, and installed copies
	Scripts/test-service
	Scripts/soak --minutes 1 --output out/soak-minute
	Scripts/test-install
	Scripts/test-page

soak: build  ## runs the service for two hours, against a model of its index; SOAK="--minutes 10" for less
	Scripts/soak $(SOAK)

distributed: build  ## tests what takes several processes; skips what cannot be had here
	Scripts/test-distributed
	Scripts/test-webdataset
	Scripts/test-milvus
	Scripts/test-readers

faults: build  ## kills the program at each step of its writing, fills the disk, and more; Linux
	Scripts/test-faults $(FAULTS)

bench: bootstrap  ## measures this program beside Python engines; BENCH="--only image" for some
	swift build $(SWIFT_FLAGS) --product albef
	swift build $(SWIFT_FLAGS) --product measure
	Benchmarks/bench $(BENCH)

performance: bootstrap  ## fails if our code needs more instructions than recorded
	swift build $(SWIFT_FLAGS) --product measure
	Scripts/test-performance

fuzz: bootstrap  ## gives damaged inputs to every parser; FUZZ="--seconds 600 pickle" for some
	Scripts/fuzz $(FUZZ)

sanitize:  ## runs tests with the sanitizers of addresses, undefined behaviour and threads
	Scripts/test-sanitized
	Scripts/test-threads

install:  ## copies the built program to PREFIX (/usr/local), with everything that it needs to run
	@Scripts/install $(PREFIX)

uninstall:  ## removes from PREFIX exactly what `make install` put there
	@Scripts/uninstall $(PREFIX)

archive:  ## packs the built program for machines without Swift and libtorch, in out/archive
	@Scripts/archive

format:  ## rewrites the sources in the project's format
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks Examples

lint:  ## fails if a source file is not in the project's format
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks Examples

bootstrap:
	@Scripts/bootstrap

clean:
	rm -rf .build out
