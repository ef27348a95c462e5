# Thin over the CMake presets; `make demo` and `make test` are all a newcomer needs.
JOBS ?= $(shell nproc)
PRESET ?= release

.PHONY: demo test build bench sanitize fuzz format clean

demo: build          ## set-up, build, and the whole flow on real pictures
	tools/demo

build:               ## build/kinglet and build/kinglet-train
	tools/setup core
	cmake --preset $(PRESET) --log-level=WARNING -DKINGLET_WITH_TESTS=OFF
	cmake --build --preset $(PRESET) -j $(JOBS)
	ln -sf $(PRESET)/bin/kinglet build/kinglet
	ln -sf $(PRESET)/bin/kinglet-train build/kinglet-train

test:                ## all tests; those that need real pictures say so when they skip
	tools/setup test
	cmake --preset $(PRESET) --log-level=WARNING -DKINGLET_WITH_TESTS=ON
	cmake --build --preset $(PRESET) -j $(JOBS)
	ln -sf $(PRESET)/bin/kinglet build/kinglet
	ln -sf $(PRESET)/bin/kinglet-train build/kinglet-train
	tools/run_tests build/$(PRESET)

sanitize:            ## the tests again under address and undefined-behaviour sanitizers
	tools/setup test
	cmake --preset asan-ubsan --log-level=WARNING
	cmake --build --preset asan-ubsan -j $(JOBS)
	tools/run_tests build/asan-ubsan

fuzz:                ## every parser of foreign files for a minute under libFuzzer and sanitizers
	tools/setup fuzz
	cmake --preset fuzz --log-level=WARNING
	cmake --build --preset fuzz -j $(JOBS)
	fuzz/run build/fuzz

bench: build         ## the comparisons that README and docs quote
	tools/setup bench
	bench/run

format:
	git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format -i

clean:
	rm -rf build
